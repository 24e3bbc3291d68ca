"""What fleets cost: checks, one changed cluster, a diff, and how cost and memory grow with the number of clusters.

Each figure is the median of ratios measured side by side; the floors read every file of the trees and do nothing else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from measure import Cost, Row, Side, median, once

if TYPE_CHECKING:
    from bench import Bench

FLEET, MOST = 500, 1000
_WHO = "-c user.name=bench -c user.email=bench@example.com"


def rows(bench: Bench) -> list[Row]:
    """The lines of the table about fleets."""
    return [*_checks(bench), *_one_changed(bench), *_diff(bench), *_growth(bench)]


def pairs(runs: int, ours: Side, theirs: Side) -> tuple[float, Cost, Cost]:
    """The median ratio of pairs that take turns, and the median cost of each; a first pair warms the disk's cache."""
    found = [(once(ours), once(theirs)) for _ in range(runs + 1)][1:]
    sides = [Cost(median([c.seconds for c in side]), max(c.memory for c in side)) for side in zip(*found, strict=True)]
    return median([one.seconds / other.seconds for one, other in found]), sides[0], sides[1]


def compared(name: str, runs: int, ours: Side, theirs: Side, must: float | None = None) -> Row:
    """The row of such pairs, with the peak memory of ours."""
    value, mine, other = pairs(runs, ours, theirs)
    note = f"{mine.seconds * 1000:.0f} / {other.seconds * 1000:.0f} ms, {mine.memory:.0f} MiB"
    return Row(name, value, must, must and must / 2, note)


def _runs(bench: Bench, count: int) -> int:
    """Fewer for more clusters: they take seconds each."""
    return bench.runs if count <= 50 else max(3, bench.runs // 3)


def _hashing(bench: Bench, count: int) -> Side:
    return bench.shell(f"find out{count} -type f -print0 | xargs -0 sha256sum")


def _checks(bench: Bench) -> list[Row]:
    found = []
    for count, must in ((50, 3.0), (FLEET, 3.0)):
        once(bench.render(count))
        once(bench.shell(f"cd out{count} && git init -q && git add . && git {_WHO} commit -qm all"))
        runs = _runs(bench, count)
        found += [
            compared(f"P6  check {count} clusters / sha256sum", runs, bench.check(count), _hashing(bench, count), must),
            compared(f"    check {count} clusters / git status", runs, bench.check(count), _git_status(bench, count)),
        ]
    return found


def _git_status(bench: Bench, count: int) -> Side:
    return bench.shell(f"cd out{count} && git status --porcelain")


def _one_changed(bench: Bench) -> list[Row]:
    """A render of all when one cluster.yaml has changed, which it does before each run."""
    place = os.path.join(bench.inputs(FLEET), "c250", "cluster.yaml")

    def change() -> None:
        with open(place, encoding="utf-8") as file:
            text = file.read()
        one, other = "region: eu-west-1", "region: eu-west-2"
        with open(place, "w", encoding="utf-8") as file:
            file.write(text.replace(one, other) if one in text else text.replace(other, one))

    call = [*bench.okgen, "render", bench.inputs(FLEET), "--output", bench.out(FLEET)]
    name = f"    render, 1 of {FLEET} clusters changed / sha256sum"
    return [compared(name, _runs(bench, FLEET), Side(call, change), _hashing(bench, FLEET))]


def _diff(bench: Bench) -> list[Row]:
    """A line more in each of 50 clusters, whose trees are as they were."""
    bench.inputs(50)
    once(
        bench.shell("cp -r in50 changed && for f in changed/*/cluster.yaml; do echo 'profile: development' >> $f; done")
    )
    changed = os.path.join(bench.folder, "changed")
    ours = Side([*bench.okgen, "diff", changed, "--output", bench.out(50)], codes=(1,))
    value, mine, other = pairs(bench.runs, ours, _hashing(bench, 50))
    note = f"{mine.memory:.0f} MiB"
    return [
        Row("    diff of a line in 50 clusters, seconds", mine.seconds, 1.0, 0.5, note),
        Row("    diff of a line in 50 clusters / sha256sum", value, None, None, f"{other.seconds * 1000:.0f} ms"),
    ]


def _growth(bench: Bench) -> list[Row]:
    """What a cluster costs in a fleet of 1,000 against one in a fleet of 50: 1 is linear."""
    found = []
    for name, side in (("first render", bench.render), ("check", bench.check)):
        few, many = side(50), side(MOST)
        value, mine, other = pairs(_runs(bench, MOST), many, few)
        note = f"{mine.memory:.0f} / {other.memory:.0f} MiB"
        found.append(Row(f"    {name}, a cluster of {MOST} / of 50", value * 50 / MOST, 1.5, 1.1, note))
    return found
