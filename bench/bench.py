"""Prints how fast okgen is, as ratios of processor time measured side by side in one run.

    python bench/bench.py [RUNS]

Each figure is the least of RUNS (7) rounds where it does not say otherwise; the two sides of a ratio take turns, so
that a busy machine hurts both. Peers that are not built (tests/tools/build.py helm kustomize jsonnet) are left out by
name. The work is four add-ons a cluster. Helm gets three official charts (bench/charts.py) and a stand-in; the other
peers get okgen's own objects with nothing left to compute but the cluster's name (bench/peers.py), which is less than
their users' programs do. Milliseconds are for orientation: only
ratios compare across machines.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import TYPE_CHECKING

import fleet
from measure import Cost, Row, Side, median, once, ratio, together
from work import HERE, Work

if TYPE_CHECKING:
    from collections.abc import Callable


def floors(work: Work) -> list[Row]:
    """Against the interpreter and the disk alone."""
    version, bare = together(work.runs, Side([*work.okgen, "--version"]), work.floor)
    copy = work.shell("cp -r out1 peer", fresh=True)
    one, bare_too, copied = together(work.runs, work.render(1), work.floor, copy)
    ten, fifty, bare_three = together(work.runs, work.render(10), work.render(50), work.floor)
    hashing = work.shell("find out50 -type f -print0 | xargs -0 sha256sum")
    checked, anew, hashed = together(work.runs, work.check(50), work.check(50, "--no-cache"), hashing)
    slope = Cost((fifty.seconds - ten.seconds) / 40, 0)
    return [
        ratio("P1  okgen --version / python -c pass", version, bare, 3, 1.5),
        ratio("P2  render 1 cluster / python -c pass", one, bare_too, 14, 5),
        ratio("    render 10 clusters / python -c pass", ten, bare_three),
        ratio("    render 50 clusters / python -c pass", fifty, bare_three),
        ratio("    render 1 cluster / cp -r of its tree", one, copied),
        ratio("P6  check 50 clusters / sha256sum of their trees", checked, hashed, 3, 1.5),
        ratio("    check 50 clusters --no-cache / sha256sum of their trees", anew, hashed),
        ratio("P7  a further cluster (10 to 50) / python -c pass", slope, bare_three, 0.4, 0.2),
        Row("P8  MiB resident, render 1 cluster", one.memory, 40, 18, f"bare: {bare.memory:.0f}"),
        Row("P8  MiB resident, render 50 clusters", fifty.memory, 50, 20),
    ]


def against_helm(work: Work, helm: str) -> list[Row]:
    """The yardstick is four official charts, of which one makes a CA; stand-ins, where they cannot be had."""
    kinds: list[tuple[str, Callable[[list[float]], float], str]] = [
        ("charts-upstream", median, "official charts; median"),
        ("charts-ca", median, "stand-ins, one makes a CA; median"),
        ("charts", min, "stand-ins, objects only"),
    ]
    if not os.path.isdir(os.path.join(work.folder, "charts-upstream")):
        print("left out: the official charts, as Go or their modules cannot be had")
        del kinds[0]
    rows = []
    for number, (folder, pick, what) in enumerate(kinds):
        line = (
            f"for a in {folder}/*; do {helm} template ${{a#*/}} $a -f $a/bench.yaml > peer/${{a#*/}}.yaml || exit; done"
        )
        loop = work.shell(line, fresh=True)
        one, four = together(work.runs, work.render(1), loop, pick=pick)
        # 200 calls cost what four do 50 times; measured so, the loop takes seconds instead of minutes.
        fifty, fours = together(work.runs, work.render(50), loop._replace(times=50), pick=pick)
        goals = ((1 / 3, 1 / 8), (1 / 60, 1 / 150)) if number == 0 else ((None, None), (None, None))
        rows += [
            ratio(f"P3  render 1 cluster / 4 x helm template ({what})", one, four, *goals[0]),
            ratio(f"P4  render 50 clusters / 200 x helm template ({what})", fifty, fours, *goals[1]),
        ]
    return rows


def peers(work: Work, tools: dict[str, str]) -> list[Row]:
    """Against what people would use instead, where it is built."""
    once(work.render(1))
    prepare = [
        sys.executable,
        os.path.join(HERE, "peers.py"),
        os.path.join(work.out(1), "c001"),
        "c001",
        work.folder,
        "50",
    ]
    once(Side(prepare))
    rows = []
    if helm := tools.get("helm"):
        rows += against_helm(work, helm)
    if kustomize := tools.get("kustomize"):
        # Their pinned URLs are dropped: nothing here goes to the network.
        line = f"for a in offline/*; do {kustomize} build $a > peer/${{a#*/}}.yaml || exit; done"
        once(work.shell("cp -r out1/c001/addons offline && sed -i.bak '/- https:/d' offline/*/kustomization.yaml"))
        one, built = together(work.runs, work.render(1), work.shell(line, fresh=True))
        rows.append(ratio("P3  render 1 cluster / kustomize build of it", one, built, 1, 1))
    if jsonnet := tools.get("jsonnet"):
        line = f"{jsonnet} -S -c -m peer main.jsonnet"
        fifty, made = together(work.runs, work.render(50), work.shell(line, fresh=True))
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
        work = Work(folder, runs)
        rows = floors(work) + peers(work, programs()) + fleet.rows(work)
    print(f"{'processor time, least of ' + str(runs):62} {'figure':>8} {'must':>7} {'stretch':>7}  verdict")
    for row in rows:
        print(row)


if __name__ == "__main__":
    main(sys.argv[1:])
