"""The scene of the tandem: examples/shop in an account of its own, rendered by okgen, its controllers as pods."""

from __future__ import annotations

import base64
import shutil
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

import rendering
from e2e.rig import aws as cloud
from e2e.rig import waiting
from e2e.rig.pods import AS_RENDERED, Pods, Start

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from e2e.rig.argocd import ArgoCD, State
    from e2e.rig.aws import Aws, Network
    from e2e.rig.controlplane import Cluster
    from e2e.rig.git import Repository
    from e2e.rig.kube import Object
    from e2e.rig.pod import Pod

SHOP = rendering.REPOSITORY / "examples" / "shop"
APP = SHOP / "app"
NAME, REGION, ZONE = "shop-prod", "eu-west-1", "shop.example.com"
SECRET = "/shop/prod/database/password"  # noqa: S105 - the parameter's name
# In this order: who serves a webhook comes before those whose objects it judges, who makes a certificate before who
# mounts it.
DEPLOYMENTS = (
    ("cert-manager", "cert-manager-webhook"),
    ("cert-manager", "cert-manager-cainjector"),
    ("cert-manager", "cert-manager"),
    ("external-secrets", "external-secrets-cert-controller"),
    ("external-secrets", "external-secrets-webhook"),
    ("external-secrets", "external-secrets"),
    ("kube-system", "aws-load-balancer-controller"),
    ("external-dns", "external-dns"),
)
# Those that call AWS: add-on, namespace, Deployment.
CALLERS = {
    "external-secrets": ("external-secrets", "external-secrets"),
    "aws-load-balancer-controller": ("kube-system", "aws-load-balancer-controller"),
    "external-dns": ("external-dns", "external-dns"),
}
# okgen renders External Secrets 2.9.0, and 0.20.4 is the newest that can be built here. It takes every flag; its
# controller has no /readyz yet, only the /healthz of the liveness probe.
READINESS = {"external-secrets": "/healthz"}
# What the scene's cluster.yaml has beyond the example's: a store for one namespace, and keys that only spare time.
STORES = [
    {"name": "parameter-store", "service": "ParameterStore", "prefix": "/shop/prod/"},
    {"name": "private", "service": "ParameterStore", "prefix": "/shop/private/", "namespaces": ["shop"]},
]
MORE = {
    "addons": {
        "external-dns": {"interval": "3s", "zonesCacheDuration": "0s"},
        "external-secrets": {"stores": STORES},
    }
}


# The project that every Argo CD has; its API server makes it, which does not run here.
DEFAULT_PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "default", "namespace": "argocd"},
    "spec": {
        "sourceRepos": ["*"],
        "destinations": [{"namespace": "*", "server": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
    },
}


class Installed(NamedTuple):
    """What each Application said in the end, and how long it all took from the push, in seconds."""

    states: dict[str, State]
    seconds: float


class Scene(NamedTuple):
    """A cluster with okgen's add-ons in an AWS account; ``folder`` is the repository it was rendered in."""

    cluster: Cluster
    aws: Aws
    pods: Pods
    network: Network
    zone: str
    other_zone: str
    certificate: str
    folder: Path
    installed: Installed

    def role(self, addon: str) -> str:
        """The ARN of an add-on's role."""
        return self.aws.account.role_arn(f"{NAME}-{addon}")

    @property
    def output(self) -> Path:
        """The cluster's rendered folder."""
        return self.folder / "output" / NAME

    def records(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The records of the zone, its own left out."""
        return cloud.records(self.aws, self.zone)

    def password(self) -> str:
        """What a pod of the shop finds in its environment. Raises PodError where it would not start."""
        return self.pods.environment("shop", "shop")["DATABASE_PASSWORD"]

    def rounds(self, count: int = 2) -> None:
        """Waits until ExternalDNS has compared everything some more times."""
        start = len(self.aws.gate.calls)

        def done() -> bool:
            new = self.aws.gate.calls[start:]
            return sum(each.action == "route53:ListHostedZones" for each in new) > count

        waiting.until(f"{count} rounds of external-dns", done, within=60)

    def content(self, secret: str) -> str:
        """The key ``value`` of a Secret, empty while there is none."""
        found = self.get(f"secret/{secret}") or {}
        return base64.b64decode((found.get("data") or {}).get("value", "")).decode()

    def leads(self, host: str) -> str:
        """Where the alias of a host leads, empty without one."""
        found = self.records().get((host, "A"), {})
        return str(found.get("AliasTarget", {}).get("DNSName", "")).removesuffix(".")

    def get(self, target: str, namespace: str = "shop") -> Object | None:
        """An object of the cluster, such as ``secret/NAME``."""
        return self.cluster.kubectl.get(target, namespace)

    @property
    def app(self) -> Path:
        """The application's folder."""
        return APP

    def address(self, ingress: str) -> str:
        """The host name in the status of an Ingress, empty while there is none."""
        found = self.get(f"ingress/{ingress}") or {}
        addresses = found.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        return addresses[0].get("hostname", "") if addresses else ""

    def ingress(self, name: str, host: str, *, class_name: str = "alb", namespace: str = "shop") -> Object:
        """A further Ingress to the shop's Service."""
        backend = {"service": {"name": "shop", "port": {"name": "http"}}}
        paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": {"alb.ingress.kubernetes.io/scheme": "internet-facing"},
            },
            "spec": {"ingressClassName": class_name, "rules": [{"host": host, "http": {"paths": paths}}]},
        }

    def annotate(self, ingress: Object, notes: Mapping[str, str]) -> None:
        """Adds annotations of load balancers to an Ingress that is not applied yet."""
        said = {f"alb.ingress.kubernetes.io/{name}": value for name, value in notes.items()}
        ingress["metadata"]["annotations"] |= said

    def not_ready(self, name: str, namespace: str = "shop") -> str:
        """What an ExternalSecret says of why it is not ready; nothing while it says nothing, or is."""
        found = self.get(f"externalsecret/{name}", namespace) or {}
        conditions = found.get("status", {}).get("conditions", [])
        said = [each for each in conditions if each["type"] == "Ready" and each["status"] == "False"]
        message = said[0].get("message", "") if said else ""
        events = self.cluster.kubectl.list("events", namespace) if said else []
        told = [each["message"] for each in events if each["involvedObject"]["name"] == name]
        return " ".join([message, *told]).strip()

    def refresh(self, name: str, namespace: str = "shop") -> None:
        """Has External Secrets read again now, as its documentation says."""
        self.cluster.kubectl(
            "annotate", f"externalsecret/{name}", f"force-sync={time.time()}", "--overwrite", f"--namespace={namespace}"
        )

    # ---------------------------------------------------------------------------------------------------- what users do

    def render(self, **changes: Any) -> dict[str, Any]:
        """Renders examples/shop/cluster.yaml with this account's ids, and changes; gives what it wrote."""
        document = yaml.safe_load((SHOP / "cluster.yaml").read_text(encoding="utf-8"))
        ids = {
            "aws": {"vpcId": self.network.vpc, "oidcIssuer": self.cluster.issuer},
            "dns": {"zones": [{"name": ZONE, "id": self.zone}]},
        }
        document = rendering.merged(rendering.merged(rendering.merged(document, ids), MORE), changes)
        rendering.rendered(self.folder, document)
        return document

    def deploy(self) -> None:
        """Brings the CloudFormation stack up to date."""
        template = (self.output / "iam" / "cloudformation.yaml").read_text(encoding="utf-8")
        self.pods.associations[:] = cloud.deploy(self.aws, template)

    def sync(self, *addons: str) -> None:
        """Applies what has changed in some add-ons, by hand."""
        plain = [each for each in self._objects(addons) if not _custom(each)]
        # What Argo CD has applied before is taken over from it.
        self.cluster.kubectl.apply(plain, "--force-conflicts")

    def settle(self, *addons: str) -> None:
        """Applies the objects that a controller's webhook judges; its pods must run."""
        objects = [each for each in self._objects(addons) if _custom(each)]
        waiting.until(
            "the controllers' webhooks answer", lambda: self.cluster.kubectl.apply(objects, "--force-conflicts")
        )

    def change(self, *addons: str) -> None:
        """What docs/iam.md says of a change: the stack, then the tree, then a restart of what calls AWS."""
        self.deploy()
        self.sync(*addons)
        for each in addons:
            self.stop(*CALLERS[each])
            self.start(*CALLERS[each])

    def _objects(self, addons: tuple[str, ...]) -> list[Object]:
        tree = rendering.texts(self.output)
        folders = [f"addons/{each}/" for each in addons]
        chosen = {path: text for path, text in tree.items() if any(path.startswith(folder) for folder in folders)}
        return rendering.Result(0, "", "", chosen).objects

    def start(self, namespace: str, deployment: str, changes: Start = AS_RENDERED) -> Pod:
        """Starts a Deployment's program, once what its volumes hold is there."""
        found = self.get(f"deployment/{deployment}", namespace)
        assert found, f"no Deployment {namespace}/{deployment}"
        spec = found["spec"]["template"]["spec"]
        for volume in spec.get("volumes", []):
            secret = f"secret/{volume['secret']['secretName']}"
            waiting.until(f"{secret} is filled", partial(self._filled, secret, namespace))
        waiting.until(f"pods of {deployment}", lambda: self._pods_run(namespace, deployment), within=60)
        return self.pods.start(namespace, deployment, changes._replace(readiness=READINESS.get(deployment, "")))

    def _filled(self, secret: str, namespace: str) -> bool:
        return bool((self.get(secret, namespace) or {}).get("data"))

    def _pods_run(self, namespace: str, deployment: str) -> bool:
        """Whether the pods are those of the Deployment as it is now, and all of them."""
        found = self.get(f"deployment/{deployment}", namespace)
        assert found
        status, wanted = found.get("status", {}), found["spec"]["replicas"]
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        return seen and counts == [wanted] * 3

    def stop(self, namespace: str, deployment: str) -> None:
        """Ends a Deployment's program."""
        self.pods.stop(self.pods.running[f"{namespace}.{deployment}"])

    def start_all(self) -> None:
        """Starts every controller as soon as its pods run, in whatever order Argo CD brings them."""
        waiting.until("all controllers run", self._start_next, within=600)

    def _start_next(self) -> bool:
        """Starts those that can be started; whether all are running."""
        missing = [each for each in DEPLOYMENTS if ".".join(each) not in self.pods.running]
        for namespace, deployment in missing:
            found = self.get(f"deployment/{deployment}", namespace)
            if found and self._pods_run(namespace, deployment) and self._mounts(found):
                self.start(namespace, deployment)
        return not missing

    def _mounts(self, deployment: Object) -> bool:
        """Whether the Secrets that its pods mount are filled."""
        volumes = deployment["spec"]["template"]["spec"].get("volumes", [])
        names = [each["secret"]["secretName"] for each in volumes]
        return all(self._filled(f"secret/{name}", deployment["metadata"]["namespace"]) for name in names)

    def install(self, repository: Repository, argocd: ArgoCD) -> Scene:
        """docs/tutorial.md, from the push on: stack, bootstrap, application, until all Applications are Healthy.

        Argo CD's controller is stopped then, as the tests change things by hand that it would change back.
        """
        shutil.copytree(SHOP, self.folder / "examples" / "shop")
        (self.folder / "examples" / "shop" / "cluster.yaml").unlink()
        begun = time.monotonic()
        repository.push(f"Add {NAME}")
        self.deploy()
        kubectl = self.cluster.kubectl
        kubectl("apply", "--server-side", "--field-manager=okgen", "-k", str(self.output / "bootstrap"))
        self.start_all()
        kubectl.apply([DEFAULT_PROJECT], manager="argocd-install")
        kubectl("apply", "-f", str(SHOP / "application.yaml"))
        addons = (self.output / "addons").iterdir()
        names = [NAME, "shop", *(f"{NAME}-{part}" for part in ("namespaces", *(each.name for each in addons)))]
        argocd.settled(names, within=300)
        hosts = (ZONE, f"www.{ZONE}")
        waiting.until("records", lambda: all(self.leads(host) for host in hosts), within=120)
        states = {name: argocd.state(name) for name in names}
        installed = Installed(states, time.monotonic() - begun)
        self.cluster.processes.stop("argocd-application-controller")
        return self._replace(installed=installed)


def _custom(obj: Object) -> bool:
    """Whether some controller defines and judges the kind, or the kind refers to one that it does."""
    group = obj["apiVersion"].partition("/")[0]
    return "." in group and not group.endswith("k8s.io") and group != "argoproj.io"


def external_secret(name: str, key: str, *, store: str = "parameter-store", namespace: str = "shop") -> dict[str, Any]:
    """An ExternalSecret of one key, ``value``."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": name},
            "data": [{"secretKey": "value", "remoteRef": {"key": key}}],
        },
    }


def open_scene(cluster: Cluster, aws: Aws, folder: Path, trust: Path) -> Scene:
    """A repository, and an account with what examples/shop expects: VPC, zones, certificate, parameters.

    ``trust`` is the file of the authority that AWS's certificates are by.
    """
    cloud.register(aws, cluster)
    cloud.make_boundary(aws)
    network = cloud.make_network(aws, NAME)
    zone, other = cloud.make_zone(aws, ZONE), cloud.make_zone(aws, "other.example.org")
    certificate = aws.client("acm").request_certificate(DomainName=ZONE, SubjectAlternativeNames=[f"*.{ZONE}"])
    cloud.put_parameter(aws, SECRET, "swordfish")
    cloud.put_parameter(aws, "/shop/staging/database/password", "of another environment")
    pods = Pods(cluster, REGION, [], trust)
    return Scene(cluster, aws, pods, network, zone, other, certificate["CertificateArn"], folder, Installed({}, 0.0))
