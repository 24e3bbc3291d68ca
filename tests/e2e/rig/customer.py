"""Somebody who keeps clusters in a repository and does what okgen's pages say: render, commit, push, apply."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from e2e.rig.kube import Identity, text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from e2e.rig.argocd import ArgoCD
    from e2e.rig.git import Repository
    from e2e.rig.kube import Kubectl

URL = "https://github.com/acme/platform.git"  # what the examples say


class Rendered(NamedTuple):
    """What a render and a push did: the commit, the paths in it, what okgen said."""

    commit: str
    changed: list[str]
    said: str


class Customer(NamedTuple):
    """The repository, and the Argo CD that it is for; ``authority`` is a file with the certificates to trust."""

    repository: Repository
    argocd: ArgoCD
    kubectl: Kubectl
    authority: Path

    def write(self, name: str, cluster: Mapping[str, Any]) -> None:
        """The description of a cluster, in clusters/NAME.cluster.yaml."""
        path = self._file(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(dict(cluster), sort_keys=False), encoding="utf-8")

    def read(self, name: str) -> dict[str, Any]:
        """The description of a cluster, to be changed and written."""
        found: dict[str, Any] = yaml.safe_load(self._file(name).read_text(encoding="utf-8"))
        return found

    def _file(self, name: str) -> Path:
        return self.repository.folder / "clusters" / f"{name}.cluster.yaml"

    def okgen(self, command: str, *arguments: str) -> str:
        """Calls okgen in the repository; what it says on stderr. Raises AssertionError where it fails."""
        return self._call(0, command, "clusters", *arguments).stderr

    def diff(self) -> set[Identity]:
        """The objects that a render would change in clusters, as `okgen diff` names them; there has to be one."""
        done = self._call(1, "diff", "--format", "json", "clusters")
        return {
            Identity(each["apiVersion"].rpartition("/")[0], each["kind"], each["namespace"] or "", each["name"])
            for each in json.loads(done.stdout)["objects"]
            if each["form"] == "kubernetes"
        }

    def _call(self, code: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        call = [sys.executable, "-m", "okgen", *arguments]
        done = subprocess.run(call, cwd=self.repository.folder, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{' '.join(call)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def publish(self, message: str) -> Rendered:
        """Renders all clusters, commits and pushes."""
        said = self.okgen("render")
        commit = self.repository.push(message)
        return Rendered(commit, self.repository.changed(), said)

    def change(self, name: str, message: str, change: Callable[[dict[str, Any]], object]) -> Rendered:
        """Changes the description of a cluster, and publishes it; Argo CD is told."""
        cluster = self.read(name)
        change(cluster)
        self.write(name, cluster)
        done = self.publish(message)
        self.argocd.refresh(*self.argocd.names(name))
        return done

    def settled(self, name: str, commit: str, within: float = 120.0) -> None:
        """Waits until all of a cluster's Applications are Synced and Healthy at a commit."""
        self.argocd.settled(self.argocd.names(name), commit, within)

    def tree(self, name: str, *steps: str) -> Path:
        """A place in the rendered tree of a cluster."""
        return self.repository.folder.joinpath("output", name, *steps)

    def bootstrap(self, name: str, *, leave_out: str = "") -> None:
        """Applies a cluster's bootstrap folder with the command of its README, all or without one kind."""
        command = ("apply", "--server-side", "--field-manager=okgen")
        folder = self.tree(name, "bootstrap")
        if not leave_out:
            self.kubectl(*command, "-k", str(folder))
            return
        kept = [each for each in self.kubectl.kustomize(folder) if each["kind"] != leave_out]
        self.kubectl(*command, "-f", "-", stdin=text(kept))
