"""What is measured: clusters as files, okgen as it is installed, and lines of shell, all in one folder."""

from __future__ import annotations

import os
import shutil
import sys

from measure import Side, once

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)

CLUSTER = """\
apiVersion: okgen.dev/v1alpha1
kind: Cluster
metadata:
  name: {name}
kubernetesVersion: "1.36"
aws:
  accountId: "123456789012"
  region: eu-west-1
  vpcId: vpc-0123456789abcdef0
dns:
  zones:
    - {{name: {name}.example.com, id: Z{zone}}}
gitops:
  repository: https://git.example.com/acme/platform.git
addons:
  external-secrets:
  aws-load-balancer-controller:
  external-dns:
  cert-manager:
"""


def installed(folder: str) -> tuple[list[str], str]:
    """Okgen and the interpreter it runs on, in a virtual environment of its own.

    The one of the tests starts slower: test tools leave hooks in it that every interpreter runs.
    """
    place = os.path.join(folder, "venv")
    python = os.path.join(place, "bin", "python")
    once(Side([sys.executable, "-m", "venv", "--without-pip", place]))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-warn-script-location"]
    once(Side([*pip, ROOT]))
    return [os.path.join(place, "bin", "okgen")], python


class Work:
    """The inputs on disk and the programs that work on them."""

    def __init__(self, folder: str, runs: int) -> None:
        self.folder, self.runs = folder, runs
        os.environ["OKGEN_CACHE_DIR"] = os.path.join(folder, "cache")
        self.okgen, python = installed(folder)
        self.floor = Side([python, "-c", "pass"])

    def inputs(self, count: int) -> str:
        """The folder with that many cluster.yaml files, which are written when first asked for."""
        folder = os.path.join(self.folder, f"in{count}")
        for number in range(1, 1 + (0 if os.path.exists(folder) else count)):
            name = f"c{number:03}"
            place = os.path.join(folder, name)
            os.makedirs(place)
            with open(os.path.join(place, "cluster.yaml"), "w", encoding="utf-8") as file:
                file.write(CLUSTER.format(name=name, zone=f"0123456789{name.upper()}"))
        return folder

    def out(self, count: int) -> str:
        """Where they are rendered to."""
        return os.path.join(self.folder, f"out{count}")

    def render(self, count: int) -> Side:
        """A first render of that many clusters."""
        out = self.out(count)
        return Side(
            [*self.okgen, "render", self.inputs(count), "--output", out],
            lambda: shutil.rmtree(out, ignore_errors=True),
        )

    def check(self, count: int, *more: str) -> Side:
        """Asking whether they are up to date, which runs before may have found."""
        return Side([*self.okgen, "check", self.inputs(count), "--output", self.out(count), *more])

    def shell(self, script: str, *, times: int = 1, fresh: bool = False) -> Side:
        """A line of shell with an empty folder called peer to write to."""
        peer = os.path.join(self.folder, "peer")

        def empty() -> None:
            shutil.rmtree(peer, ignore_errors=True)
            os.mkdir(peer)

        return Side(["sh", "-c", f"cd {self.folder} && {script}"], empty if fresh else lambda: None, times)
