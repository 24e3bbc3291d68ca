"""The scene of the tandem: examples/shop in an account of its own, rendered by okgen, its controllers as pods."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

import rendering
from e2e.rig import aws as cloud
from e2e.rig import waiting
from e2e.rig.pods import AS_RENDERED, Pods, Start
from e2e.rig.shop import CALLERS, MORE, NAME, READINESS, REGION, SECRET, SHOP, ZONE

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.rig.aws import Aws, Network
    from e2e.rig.controlplane import Cluster
    from e2e.rig.kube import Object
    from e2e.rig.pod import Pod


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

    def address(self, ingress: str) -> str:
        """The host name in the status of an Ingress, empty while there is none."""
        found = self.get(f"ingress/{ingress}") or {}
        addresses = found.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        return addresses[0].get("hostname", "") if addresses else ""

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
        self.pods.stop(*(self.pods.running[".".join(CALLERS[each])] for each in addons))
        self.start_together(*addons)

    def start_together(self, *addons: str) -> None:
        """Starts what calls AWS of some add-ons, and waits until all of it is ready."""
        started = [self.start(*CALLERS[each], ready=False) for each in addons]
        waiting.until("all are ready", lambda: all(each.ready() for each in started))

    def _objects(self, addons: tuple[str, ...]) -> list[Object]:
        tree = rendering.texts(self.output)
        folders = [f"addons/{each}/" for each in addons]
        chosen = {path: text for path, text in tree.items() if any(path.startswith(folder) for folder in folders)}
        return rendering.Result(0, "", "", chosen).objects

    def start(self, namespace: str, deployment: str, changes: Start = AS_RENDERED, *, ready: bool = True) -> Pod:
        """Starts a Deployment's program, once its pods run and what they mount is there; waits until it is ready."""
        waiting.until(f"pods of {deployment}", lambda: self.startable(namespace, deployment))
        known = changes._replace(readiness=READINESS.get(deployment, ""))
        return self.pods.start(namespace, deployment, known, ready=ready)

    def startable(self, namespace: str, deployment: str) -> bool:
        """Whether all pods are those of the Deployment as it is now, and the Secrets that they mount are filled."""
        found = self.get(f"deployment/{deployment}", namespace)
        if found is None:
            return False
        status, wanted = found.get("status", {}), found["spec"]["replicas"]
        seen = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        return seen and counts == [wanted] * 3 and self._mounts(found)

    def _mounts(self, deployment: Object) -> bool:
        """Whether the Secrets that its pods mount are filled."""
        namespace, spec = deployment["metadata"]["namespace"], deployment["spec"]["template"]["spec"]
        secrets = [self.get(f"secret/{each['secret']['secretName']}", namespace) for each in spec.get("volumes", [])]
        return all(each and each.get("data") for each in secrets)

    def stop(self, namespace: str, deployment: str) -> None:
        """Ends a Deployment's program."""
        self.pods.stop(self.pods.running[f"{namespace}.{deployment}"])


def _custom(obj: Object) -> bool:
    """Whether some controller defines and judges the kind, or the kind refers to one that it does."""
    group = obj["apiVersion"].partition("/")[0]
    return "." in group and not group.endswith("k8s.io") and group != "argoproj.io"


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
    return Scene(cluster, aws, pods, network, zone, other, certificate["CertificateArn"], folder)
