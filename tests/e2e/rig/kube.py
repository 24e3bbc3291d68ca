"""kubectl, called as users call it, and what Kubernetes objects say about themselves."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

import rendering
from e2e.rig import programs, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from e2e.rig.api import Api

PATIENCE = 90.0

Object = dict[str, Any]
# Where kinds that are asked for all the time are served: a call of kubectl costs a hundred times as much.
SERVED = {
    "configmap": "/api/v1/namespaces/{}/configmaps",
    "deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "secret": "/api/v1/namespaces/{}/secrets",
    "serviceaccount": "/api/v1/namespaces/{}/serviceaccounts",
}


class KubectlError(AssertionError):
    """A call of kubectl that failed, with what it said."""


class Done(NamedTuple):
    """What one call of kubectl did."""

    code: int
    out: str
    err: str


class Identity(NamedTuple):
    """Which object it is: the group without the version, as one object is served under several."""

    group: str
    kind: str
    namespace: str
    name: str


def identity(obj: Object) -> Identity:
    """Which object this is."""
    group = obj["apiVersion"].rpartition("/")[0]
    return Identity(group, obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def version(obj: Object) -> str:
    """The resourceVersion, which changes with every write that changes something."""
    found: str = obj["metadata"]["resourceVersion"]
    return found


def annotation(obj: Object, name: str) -> str:
    """An annotation, or nothing."""
    return str((obj["metadata"].get("annotations") or {}).get(name, ""))


def documents(text: str) -> list[Object]:
    """The objects in YAML or JSON text; lists are taken apart."""
    if text.startswith("{"):
        found = [json.loads(text)]  # a hundred times as fast, which counts with CRDs
    else:
        found = [each for each in yaml.load_all(text, rendering.Loader) if each]
    return [item for each in found for item in (each["items"] if each["kind"] == "List" else [each])]


def text(objects: Iterable[Object]) -> str:
    """Objects as one file. JSON is YAML, and has no surprises."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})


class Kubectl:
    """kubectl with one kubeconfig. ``api`` is the same server, for many small questions."""

    def __init__(self, kubeconfig: Path, api: Api, home: Path) -> None:
        self.kubeconfig = kubeconfig
        self.api = api
        # Nothing of the caller's: no proxies, no aliases of his. Kustomize inside kubectl trusts our authority.
        self.env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            "SSL_CERT_FILE": str(api.place.authority),
        }

    def run(self, *arguments: str, stdin: str = "", cwd: Path | None = None) -> Done:
        """One call, whatever comes of it."""
        call = [programs.path("kubectl"), *arguments]
        run = subprocess.run(call, input=stdin, cwd=cwd, env=self.env, capture_output=True, text=True, check=False)
        return Done(run.returncode, run.stdout, run.stderr)

    def __call__(self, *arguments: str, stdin: str = "", cwd: Path | None = None) -> str:
        """What a call prints. Raises KubectlError."""
        done = self.run(*arguments, stdin=stdin, cwd=cwd)
        if done.code:
            raise KubectlError(f"kubectl {' '.join(arguments)}: exit {done.code}\n{done.err.strip()}")
        return done.out

    def kustomize(self, folder: Path) -> list[Object]:
        """The objects of a Kustomize folder, in its order."""
        return documents(self("kustomize", str(folder)))

    def apply(self, objects: Iterable[Object] | str, *options: str, manager: str = "okgen") -> list[Object]:
        """Applies server-side, strictly, and gives the objects as the server has them. Raises KubectlError."""
        given = objects if isinstance(objects, str) else text(objects)
        flags = ("--server-side", f"--field-manager={manager}", "--validate=strict", "-o", "json", *options)
        return documents(self("apply", "-f", "-", *flags, stdin=given))

    def try_apply(self, objects: Iterable[Object], manager: str = "okgen") -> Done:
        """The dry run of the same: what the server says, without a change."""
        flags = ("--server-side", f"--field-manager={manager}", "--validate=strict", "--dry-run=server", "-o", "name")
        return self.run("apply", "-f", "-", *flags, stdin=text(objects))

    def get(self, target: str, namespace: str = "") -> Object | None:
        """One object, such as ``deployment/NAME``, or None."""
        kind, _, name = target.partition("/")
        if namespace and (place := SERVED.get(kind)):
            there: Object | None = self.api.find(f"{place.format(namespace)}/{name}")
            return there
        found = self("get", target, *_in(namespace), "--ignore-not-found", "-o", "json")
        return json.loads(found) if found else None

    def list(self, kinds: str, namespace: str = "*", selector: str = "") -> list[Object]:
        """The objects of some kinds (``a,b``) of one namespace, by default of all."""
        where = _in(namespace) if namespace != "*" else ["--all-namespaces"]
        chosen = ["--selector", selector] if selector else []
        return documents(self("get", kinds, *where, *chosen, "-o", "json"))

    def delete(self, objects: Iterable[Object], *options: str) -> str:
        """Deletes, and waits until they are gone, but not for ever. Raises KubectlError."""
        return self(
            "delete", "--ignore-not-found", f"--timeout={PATIENCE:.0f}s", "-f", "-", *options, stdin=text(objects)
        )

    def can(self, user: str, verb: str, resource: str, namespace: str = "", name: str = "") -> bool:
        """Whether a user may do something; ``resource`` reads ``deployments.apps/scale``."""
        what = f"{resource}/{name}" if name else resource
        done = self.run("auth", "can-i", verb, what, *_in(namespace), f"--as={user}")
        assert done.out.strip() in ("yes", "no"), done.err
        return done.out.strip() == "yes"

    def until(
        self, what: str, target: str, namespace: str, condition: Callable[[Object], object], within: float = 90.0
    ) -> Object:
        """Waits until ``condition(object)`` is true, and gives the object. Raises AssertionError."""

        def probe() -> Object | None:
            found = self.get(target, namespace)
            return found if found and condition(found) else None

        found = waiting.until(f"{target} in {namespace or 'the cluster'}: {what}", probe, within)
        assert found
        return found


def _in(namespace: str) -> list[str]:
    return ["--namespace", namespace] if namespace else []
