"""Runs the real program of a Deployment as its pod says: arguments, environment, volumes, ServiceAccount, AWS identity.

Everything is read from the cluster. One process stands for all pods of a Deployment and answers at all their
addresses. What a container has besides (image, user, file rights, limits, liveness) is not modelled.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from e2e.rig import network, programs, waiting
from e2e.rig.pod import Pod

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from e2e.rig.controlplane import Cluster
    from e2e.rig.issuer import Issuer
    from e2e.rig.kube import Object
    from e2e.rig.sessions import Association

HERE = Path(__file__).resolve().parent
SECRETS = "/var/run/secrets"
API_SERVER = "10.96.0.1"
AGENT = "169.254.170.23"
# A program that cannot be had, and the module that stands in for it.
STAND_INS = {"aws-load-balancer-controller": "albstub"}
# Images whose program has another name than theirs, and the words that choose it where it holds several.
PROGRAMS = {
    "external-dns:v0.21.0": ("external-dns-0.21",),
    "cert-manager-controller": ("cert-manager", "controller"),
    "cert-manager-cainjector": ("cert-manager", "cainjector"),
    "cert-manager-webhook": ("cert-manager", "webhook"),
}
# Addresses for pods where no controller has made any.
SPARE = (f"10.42.64.{number}" for number in itertools.count(1))

Files = dict[str, bytes]


class PodError(AssertionError):
    """The pod would not start in a cluster either; says why."""


class Start(NamedTuple):
    """What a start changes of what the Deployment says: tests of refusals, and flags the program does not know.

    ``without`` maps flags that are left out to the reason. ``beside`` names a second program of the same Deployment,
    which has an address of its own. ``readiness`` is the path of a readiness probe that the program does not know.
    """

    beside: str = ""
    service_account: str = ""
    without: Mapping[str, str] = {}
    extra: tuple[str, ...] = ()
    readiness: str = ""


AS_RENDERED = Start()


class Pods:
    """Starts and ends pods of one cluster. ``associations`` are those of Pod Identity.

    Web identity tokens are the API server's, or those of an ``issuer`` in its place.
    """

    def __init__(
        self,
        cluster: Cluster,
        region: str,
        associations: list[Association],
        trust: Path,
        issuer: Issuer | None = None,
    ) -> None:
        self.cluster = cluster
        self.region = region
        self.associations = associations
        self.trust = trust
        self.issuer = issuer
        self.running: dict[str, Pod] = {}

    def start(self, namespace: str, deployment: str, changes: Start = AS_RENDERED, *, ready: bool = True) -> Pod:
        """Starts the program of a Deployment, once; waits for its readiness probe. Raises PodError, ProcessError."""
        found = self.cluster.kubectl.get(f"deployment/{deployment}", namespace)
        assert found, f"no Deployment {namespace}/{deployment}"
        spec = found["spec"]["template"]["spec"]
        container = spec["containers"][0]
        pods = self._pods(found)
        pod = pods[0] if pods else {}
        addresses = [each["status"]["podIP"] for each in pods] if pods and not changes.beside else [next(SPARE)]
        account = changes.service_account or spec.get("serviceAccountName", "default")
        env = dict(self._environment(container, pod, namespace, account))
        identity, mounts = self._identity(namespace, account)
        mounts |= self._account(namespace, account, spec)
        mounts |= self._volumes(spec, container, namespace)
        argv = self._command(container, env, changes)
        name = ".".join(filter(None, (namespace, deployment, changes.beside)))
        path = self.cluster.processes.folder / f"{name}.json"
        shown = f"{namespace}/{account}"
        files = {
            at: {key: base64.b64encode(data).decode() for key, data in each.items()} for at, each in mounts.items()
        }
        full = self._always(pod) | identity | env
        path.write_text(json.dumps({"argv": argv, "env": full, "mounts": files, "as": shown}), encoding="utf-8")
        call = [
            "unshare",
            "--net",
            "--mount",
            "--propagation=private",
            sys.executable,
            "-S",
            str(HERE / "container.py"),
        ]
        process = self.cluster.processes.start(name, [*call, str(path)])
        network.connect(process.running.pid, addresses)
        self.running[name] = started = Pod(name, addresses, process, container, changes.readiness)
        if ready:
            waiting.until(f"{name} is ready", started.ready, within=90)
        return started

    def stop(self, *pods: Pod) -> None:
        """Ends them together, as Deployments scaled to nothing would."""
        for pod in pods:
            self.running.pop(pod.name, None)
        self.cluster.processes.stop(*(pod.name for pod in pods))

    # ------------------------------------------------------------------------------------------- what a pod is made of

    def _pods(self, deployment: Object) -> list[Object]:
        labels = deployment["spec"]["selector"]["matchLabels"]
        chosen = ",".join(f"{key}={value}" for key, value in labels.items())
        namespace = deployment["metadata"]["namespace"]
        found = self.cluster.api.items(f"/api/v1/namespaces/{namespace}/pods?labelSelector={quote(chosen)}")
        return [
            each
            for each in found
            if each.get("status", {}).get("podIP") and "deletionTimestamp" not in each["metadata"]
        ]

    def _command(self, container: Object, env: Mapping[str, str], changes: Start) -> list[str]:
        tagged = container["image"].rpartition("/")[2].partition("@")[0]
        image = tagged.partition(":")[0]
        if image in STAND_INS:
            program = stand_in(STAND_INS[image])
        else:
            name, *role = PROGRAMS.get(tagged) or PROGRAMS.get(image) or (image,)
            program = [programs.path(name), *role]
        words = [*container.get("command", [])[1:], *container.get("args", [])]
        kept = [expanded(word, env) for word in words if word.partition("=")[0] not in changes.without]
        if unused := set(changes.without) - {word.partition("=")[0] for word in words}:
            raise PodError(f"{image}: left out in vain, as nobody passes them: {sorted(unused)}")
        return [*program, *kept, *changes.extra]

    def _always(self, pod: Object) -> dict[str, str]:
        """What the container runtime and the kubelet set, and the authority that stands for the public ones."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": "/",
            "HOSTNAME": pod.get("metadata", {}).get("name", "pod"),
            "KUBERNETES_SERVICE_HOST": API_SERVER,
            "KUBERNETES_SERVICE_PORT": str(self.cluster.api.place.port),
            "KUBERNETES_SERVICE_PORT_HTTPS": str(self.cluster.api.place.port),
            "SSL_CERT_FILE": str(self.trust),
        }

    def _account(self, namespace: str, account: str, spec: Object) -> dict[str, Files]:
        """The ServiceAccount's token where client-go looks for it, unless the pod or the account says no."""
        found = self.cluster.kubectl.get(f"serviceaccount/{account}", namespace)
        if found is None:
            raise PodError(f"no ServiceAccount {namespace}/{account}")
        if not spec.get("automountServiceAccountToken", found.get("automountServiceAccountToken", True)):
            return {}
        token = self.token(namespace, account).encode()
        authority = self.cluster.authority.certificate.read_bytes()
        files = {"token": token, "namespace": namespace.encode(), "ca.crt": authority}
        return {f"{SECRETS}/kubernetes.io/serviceaccount": files}

    def _identity(self, namespace: str, account: str) -> tuple[dict[str, str], dict[str, Files]]:
        """What EKS's webhook adds to a pod: Pod Identity where there is an association, else IRSA where annotated."""
        regional = {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_STS_REGIONAL_ENDPOINTS": "regional",
        }
        if any((each.namespace, each.service_account) == (namespace, account) for each in self.associations):
            at = f"{SECRETS}/pods.eks.amazonaws.com/serviceaccount"
            added = {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{AGENT}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": f"{at}/eks-pod-identity-token",
            }
            token = self.token(namespace, account, "pods.eks.amazonaws.com")
            return regional | added, {at: {"eks-pod-identity-token": token.encode()}}
        found = self.cluster.kubectl.get(f"serviceaccount/{account}", namespace) or {"metadata": {}}
        notes = found["metadata"].get("annotations") or {}
        if role := notes.get("eks.amazonaws.com/role-arn"):
            at = f"{SECRETS}/eks.amazonaws.com/serviceaccount"
            audience = notes.get("eks.amazonaws.com/audience", "sts.amazonaws.com")
            token = (self.issuer or self).token(namespace, account, audience)
            added = {"AWS_ROLE_ARN": role, "AWS_WEB_IDENTITY_TOKEN_FILE": f"{at}/token"}
            return regional | added, {at: {"token": token.encode()}}
        return {}, {}

    def token(self, namespace: str, account: str, audience: str = "") -> str:
        """A token of a ServiceAccount, for an hour."""
        spec = {"expirationSeconds": 3600, **({"audiences": [audience]} if audience else {})}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        return str(self.cluster.api.post(path, body)["status"]["token"])

    # ------------------------------------------------------------------------------------------ environment and volumes

    def _environment(self, container: Object, pod: Object, namespace: str, account: str) -> Iterator[tuple[str, str]]:
        known: dict[str, str] = {}
        for item in container.get("env", []):
            source = item.get("valueFrom", {})
            if not source:
                known[item["name"]] = expanded(item.get("value", ""), known)
            elif reference := source.get("fieldRef"):
                known[item["name"]] = _field(reference["fieldPath"], pod, namespace, account)
            else:
                kind = "secret" if "secretKeyRef" in source else "configmap"
                reference = source.get("secretKeyRef") or source["configMapKeyRef"]
                data = self.content(kind, reference["name"], namespace, optional=reference.get("optional", False))
                if reference["key"] in data:
                    known[item["name"]] = data[reference["key"]].decode()
                elif not reference.get("optional"):
                    raise PodError(f"no key {reference['key']} in {kind} {namespace}/{reference['name']}")
        yield from known.items()

    def environment(self, namespace: str, deployment: str) -> dict[str, str]:
        """What the container of a Deployment finds in its environment. Raises PodError where it would not start."""
        found = self.cluster.kubectl.get(f"deployment/{deployment}", namespace)
        assert found, f"no Deployment {namespace}/{deployment}"
        spec = found["spec"]["template"]["spec"]
        account = spec.get("serviceAccountName", "default")
        return dict(self._environment(spec["containers"][0], {}, namespace, account))

    def _volumes(self, spec: Object, container: Object, namespace: str) -> dict[str, Files]:
        volumes = {each["name"]: each for each in spec.get("volumes", [])}
        found: dict[str, Files] = {}
        for mount in container.get("volumeMounts", []):
            volume = volumes[mount["name"]]
            if secret := volume.get("secret"):
                data = self.content("secret", secret["secretName"], namespace, optional=secret.get("optional", False))
            elif config := volume.get("configMap"):
                data = self.content("configmap", config["name"], namespace, optional=config.get("optional", False))
            elif "emptyDir" in volume:
                data = {}
            else:
                raise PodError(f"volume {mount['name']} is of a kind that is not modelled")
            found[mount["mountPath"]] = data
        return found

    def content(self, kind: str, name: str, namespace: str, *, optional: bool = False) -> Files:
        """The data of a Secret or ConfigMap. Raises PodError where it has to be there and is not."""
        found = self.cluster.kubectl.get(f"{kind}/{name}", namespace)
        if found is None:
            if optional:
                return {}
            raise PodError(f"no {kind} {namespace}/{name}")
        data = found.get("data") or {}
        if kind == "secret":
            return {key: base64.b64decode(value) for key, value in data.items()}
        return {key: value.encode() for key, value in data.items()}


def stand_in(module: str) -> list[str]:
    """What runs a module of this folder as a program."""
    code = f"import sys; sys.path.insert(0, {str(HERE.parent.parent)!r}); from e2e.rig.{module} import main; main()"
    return [sys.executable, "-c", code]


def expanded(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced as the kubelet does."""
    return re.sub(r"\$\$|\$\((\w+)\)", lambda found: "$" if found[0] == "$$" else env.get(found[1], found[0]), text)


def _field(path: str, pod: Object, namespace: str, account: str) -> str:
    known: dict[str, str] = {
        "metadata.namespace": namespace,
        "metadata.name": pod.get("metadata", {}).get("name", "pod"),
        "spec.serviceAccountName": account,
        "spec.nodeName": pod.get("spec", {}).get("nodeName", "fake-0"),
        "status.podIP": pod.get("status", {}).get("podIP", ""),
    }
    if path not in known:
        raise PodError(f"fieldRef {path} is not modelled")
    return known[path]
