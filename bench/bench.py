"""Prints how fast okgen is, as ratios of processor time measured side by side in one run.

    python bench/bench.py [RUNS]

Each figure is the least of RUNS (7) rounds where it does not say otherwise; the two sides of a ratio take turns, so
that a busy machine hurts both. Peers that are not built (tests/tools/build.py helm kustomize jsonnet) are left out by
name. The work is four add-ons a cluster; peers get okgen's own objects with nothing left to compute but the cluster's
name (bench/peers.py), which is less than their users' charts and programs do. Milliseconds are for orientation: only
ratios compare across machines.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

import fleet
from measure import Cost, Row, Side, median, once, ratio, together

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


class Bench:
    """The inputs on disk and the programs that work on them."""

    def __init__(self, folder: str, runs: int) -> None:
        self.folder, self.runs = folder, runs
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

    def check(self, count: int) -> Side:
        """Asking whether they are up to date."""
        return Side([*self.okgen, "check", self.inputs(count), "--output", self.out(count)])

    def shell(self, script: str, *, times: int = 1, fresh: bool = False) -> Side:
        """A line of shell with an empty folder called peer to write to."""
        peer = os.path.join(self.folder, "peer")

        def empty() -> None:
            shutil.rmtree(peer, ignore_errors=True)
            os.mkdir(peer)

        return Side(["sh", "-c", f"cd {self.folder} && {script}"], empty if fresh else lambda: None, times)

    def floors(self) -> list[Row]:
        """Against the interpreter and the disk alone."""
        version, bare = together(self.runs, Side([*self.okgen, "--version"]), self.floor)
        copy = self.shell("cp -r out1 peer", fresh=True)
        one, bare_too, copied = together(self.runs, self.render(1), self.floor, copy)
        ten, fifty, bare_three = together(self.runs, self.render(10), self.render(50), self.floor)
        hashing = self.shell("find out50 -type f -print0 | xargs -0 sha256sum")
        checked, hashed = together(self.runs, self.check(50), hashing)
        slope = Cost((fifty.seconds - ten.seconds) / 40, 0)
        return [
            ratio("P1  okgen --version / python -c pass", version, bare, 3, 1.5),
            ratio("P2  render 1 cluster / python -c pass", one, bare_too, 14, 5),
            ratio("    render 10 clusters / python -c pass", ten, bare_three),
            ratio("    render 50 clusters / python -c pass", fifty, bare_three),
            ratio("    render 1 cluster / cp -r of its tree", one, copied),
            ratio("P6  check 50 clusters / sha256sum of their trees", checked, hashed, 3, 1.5),
            ratio("P7  a further cluster (10 to 50) / python -c pass", slope, bare_three, 0.4, 0.2),
            Row("P8  MiB resident, render 1 cluster", one.memory, 40, 18, f"bare: {bare.memory:.0f}"),
            Row("P8  MiB resident, render 50 clusters", fifty.memory, 50, 20),
        ]

    def peers(self, tools: dict[str, str]) -> list[Row]:
        """Against what people would use instead, where it is built."""
        once(self.render(1))
        prepare = [
            sys.executable,
            os.path.join(HERE, "peers.py"),
            os.path.join(self.out(1), "c001"),
            "c001",
            self.folder,
            "50",
        ]
        once(Side(prepare))
        rows = []
        if helm := tools.get("helm"):
            for charts, pick, what in (
                ("charts", min, "objects only"),
                ("charts-ca", median, "one makes a CA; median"),
            ):
                line = (
                    f"for a in {charts}/*; do {helm} template x $a --set name=c001 > peer/${{a#*/}}.yaml || exit; done"
                )
                loop = self.shell(line, fresh=True)
                one, four = together(self.runs, self.render(1), loop, pick=pick)
                rows.append(ratio(f"P3  render 1 cluster / 4 x helm template ({what})", one, four, 1 / 3, 1 / 8))
                # 200 calls cost what four do 50 times; measured so, the loop takes seconds instead of minutes.
                fifty, four = together(self.runs, self.render(50), loop._replace(times=50), pick=pick)
                rows.append(
                    ratio(f"P4  render 50 clusters / 200 x helm template ({what})", fifty, four, 1 / 60, 1 / 150)
                )
        if kustomize := tools.get("kustomize"):
            # Their pinned URLs are dropped: nothing here goes to the network.
            line = f"for a in offline/*; do {kustomize} build $a > peer/${{a#*/}}.yaml || exit; done"
            once(self.shell("cp -r out1/c001/addons offline && sed -i.bak '/- https:/d' offline/*/kustomization.yaml"))
            one, built = together(self.runs, self.render(1), self.shell(line, fresh=True))
            rows.append(ratio("P3  render 1 cluster / kustomize build of it", one, built, 1, 1))
        if jsonnet := tools.get("jsonnet"):
            line = f"{jsonnet} -S -c -m peer main.jsonnet"
            fifty, made = together(self.runs, self.render(50), self.shell(line, fresh=True))
            rows.append(ratio("P5  render 50 clusters / go-jsonnet", fifty, made, 3 / 4, 1 / 4))
        return rows


def programs() -> dict[str, str]:
    """The peers that are built, by name; says which are not."""
    shelf = os.environ.get("OKGEN_TOOLS") or os.path.expanduser("~/.cache/okgen-tools")
    found = {}
    for name in ("helm", "kustomize", "jsonnet"):
        path = os.path.join(shelf, "bin", name)
        if os.path.exists(path):
            found[name] = path
        else:
            print(f"left out: {name} is not built (python tests/tools/build.py {name})")
    return found


def main(arguments: list[str]) -> None:
    """Measures and prints the table."""
    runs = int(arguments[0]) if arguments else 7
    memory_disk = "/dev/shm"  # noqa: S108 - a folder in memory, where there is one
    with tempfile.TemporaryDirectory(dir=memory_disk if os.path.isdir(memory_disk) else None) as folder:
        bench = Bench(folder, runs)
        rows = bench.floors() + bench.peers(programs()) + fleet.rows(bench)
    print(f"{'processor time, least of ' + str(runs):62} {'figure':>8} {'must':>7} {'stretch':>7}  verdict")
    for row in rows:
        print(row)


if __name__ == "__main__":
    main(sys.argv[1:])
