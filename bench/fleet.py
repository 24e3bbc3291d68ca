"""What fleets cost: checks, one changed cluster, a diff, and how cost and memory grow with the number of clusters.

Each figure is the median of ratios measured side by side; the floors read every file of the trees and do nothing else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from measure import Cost, Row, Side, median, once

if TYPE_CHECKING:
    from work import Work

FLEET, MOST = 500, 1000
_WHO = "-c user.name=bench -c user.email=bench@example.com"


def rows(work: Work) -> list[Row]:
    """The lines of the table about fleets."""
    return [*_checks(work), *_processors(work), *_one_changed(work), *_diff(work), *_growth(work)]


def pairs(runs: int, ours: Side, theirs: Side) -> tuple[float, Cost, Cost]:
    """The median ratio of pairs that take turns, and the median cost of each; a first pair warms the disk's cache."""
    found = [(once(ours), once(theirs)) for _ in range(runs + 1)][1:]
    sides = [
        Cost(median([c.seconds for c in side]), max(c.memory for c in side), median([c.wall for c in side]))
        for side in zip(*found, strict=True)
    ]
    return median([one.seconds / other.seconds for one, other in found]), sides[0], sides[1]


def compared(name: str, runs: int, ours: Side, theirs: Side, must: float | None = None) -> Row:
    """The row of such pairs, with the peak memory of ours."""
    value, mine, other = pairs(runs, ours, theirs)
    note = f"{mine.seconds * 1000:.0f} / {other.seconds * 1000:.0f} ms, {mine.memory:.0f} MiB"
    return Row(name, value, must, must and must / 2, note)


def _runs(work: Work, count: int) -> int:
    """Fewer for more clusters: they take seconds each."""
    return work.runs if count <= 50 else max(3, work.runs // 3)


def _hashing(work: Work, count: int) -> Side:
    return work.shell(f"find out{count} -name .git -prune -o -type f -print0 | xargs -0 sha256sum")


def _checks(work: Work) -> list[Row]:
    found = []
    for count in (50, FLEET):
        once(work.render(count))
        once(work.shell(f"cd out{count} && git init -q && git add . && git {_WHO} commit -qm all"))
        runs = _runs(work, count)
        found += [
            compared(f"    check {count} clusters / sha256sum", runs, work.check(count), _hashing(work, count)),
            compared(
                f"    check {count} clusters --no-cache / sha256sum",
                runs,
                work.check(count, "--no-cache"),
                _hashing(work, count),
            ),
            compared(f"    check {count} clusters / git status", runs, work.check(count), _git_status(work, count)),
        ]
    return found


def _processors(work: Work) -> list[Row]:
    """What a large check gains by all processors of this machine."""
    many = work.check(FLEET, "--no-cache")
    _, mine, other = pairs(_runs(work, FLEET), many, many._replace(alone=True))
    note = f"{mine.wall:.2f} / {other.wall:.2f} s"
    name = f"    check {FLEET} --no-cache, by the clock, all processors / one"
    return [Row(name, mine.wall / other.wall, None, None, note)]


def _git_status(work: Work, count: int) -> Side:
    return work.shell(f"cd out{count} && git status --porcelain")


def _one_changed(work: Work) -> list[Row]:
    """A render of all when one cluster.yaml has changed, which it does before each run."""
    place = os.path.join(work.inputs(FLEET), "c250", "cluster.yaml")

    def change() -> None:
        with open(place, encoding="utf-8") as file:
            text = file.read()
        one, other = "region: eu-west-1", "region: eu-west-2"
        with open(place, "w", encoding="utf-8") as file:
            file.write(text.replace(one, other) if one in text else text.replace(other, one))

    call = [*work.okgen, "render", work.inputs(FLEET), "--output", work.out(FLEET)]
    name = f"    render, 1 of {FLEET} clusters changed / sha256sum"
    return [compared(name, _runs(work, FLEET), Side(call, change), _hashing(work, FLEET))]


def _diff(work: Work) -> list[Row]:
    """A line more in each of 50 clusters, whose trees are as they were."""
    work.inputs(50)
    once(
        work.shell("cp -r in50 changed && for f in changed/*/cluster.yaml; do echo 'profile: development' >> $f; done")
    )
    changed = os.path.join(work.folder, "changed")
    ours = Side([*work.okgen, "diff", changed, "--output", work.out(50)], codes=(1,))
    value, mine, other = pairs(work.runs, ours, _hashing(work, 50))
    note = f"{mine.memory:.0f} MiB"
    return [
        Row("    diff of a line in 50 clusters, seconds by the clock", mine.wall, 1.0, 0.5, note),
        Row("    diff of a line in 50 clusters / sha256sum", value, None, None, f"{other.seconds * 1000:.0f} ms"),
    ]


def _growth(work: Work) -> list[Row]:
    """What a cluster costs in a fleet of 1,000 against one in a fleet of 50: 1 is linear."""
    found = []
    for name, side in (("first render", work.render), ("check", work.check)):
        few, many = side(50), side(MOST)
        value, mine, other = pairs(_runs(work, MOST), many, few)
        note = f"{mine.memory:.0f} / {other.memory:.0f} MiB"
        found.append(Row(f"    {name}, a cluster of {MOST} / of 50", value * 50 / MOST, 1.5, 1.1, note))
    return found
