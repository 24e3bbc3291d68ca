"""A render of many clusters, killed at random moments: no half file, nothing of others lost, and the next run ends it.

200 kills, 40 where CI is set. OKGEN_SEED repeats a run; the seed is printed.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

import rendering
from okgen import pipeline
from okgen.read import inputs
from okgen.write import index
from trees import CHANGES, contents, fill

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.no_cover

KILLS = 40 if os.environ.get("CI") else 200
NAMES = tuple(f"c{number}" for number in range(4))
FOREIGN = {"note": "mine\n", "addons/cert-manager/note": "mine\n", "iam/note": "mine\n"}
TEMPORARY = ".okgen.tmp"
CHOICES = (
    {"profile": "development"},
    {"kubernetesVersion": "1.33"},
    {"addons": {"cert-manager": None, "external-secrets": None}},
    {"metadata": {"labels": {"ring": "stable"}}},
)


class Moment(NamedTuple):
    """When a run is killed: after so many seconds from outside, or before its so manieth change of the disk."""

    seconds: float
    step: int | None


def write(repository: Path, chance: random.Random) -> None:
    """Gives every cluster a cluster.yaml, some of them another than before."""
    for name in NAMES:
        place = repository / name / "cluster.yaml"
        if not place.exists() or chance.random() < 0.6:
            cluster = rendering.merged(rendering.minimal(), chance.choice(CHOICES))
            cluster = rendering.merged(cluster, {"metadata": {"name": name}})
            place.parent.mkdir(exist_ok=True)
            place.write_text(rendering.written(cluster), encoding="utf-8")


def wanted(repository: Path) -> dict[str, dict[str, bytes]]:
    """What each cluster is to hold, by name and path."""
    findings = pipeline.Findings()
    found = pipeline.rendered(inputs.find([str(repository)]), findings)
    assert not findings.are_errors, findings.problems
    return {each.cluster.name: {path: text.encode() for path, text in each.files.items()} for each in found}


def run(repository: Path, moment: Moment) -> bool:
    """Renders in a child process that is killed at a moment; whether it came to that."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            if moment.step is not None:
                kill_before(moment.step)
            code = rendering.okgen("render", ".", cwd=repository)[0]
        finally:
            os._exit(code)
    if moment.step is None:
        time.sleep(moment.seconds)
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def kill_before(step: int) -> None:
    """Has this process kill itself before it opens, moves or removes something for the ``step``-th time."""
    left = step

    def count(event: str, _arguments: object) -> None:
        nonlocal left
        if event in CHANGES:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def assert_whole(folder: Path, before: dict[str, bytes], after: dict[str, bytes], foreign: dict[str, bytes]) -> None:
    """Every file is one that was there, one that was to come, or foreign; the index knows all that is okgen's."""
    found = {path: data for path, data in contents(str(folder)).items() if not path.startswith(TEMPORARY)}
    assert found.items() >= foreign.items()
    place = folder / index.NAME
    known = index.parse(place.read_bytes(), str(place)) if place.exists() else index.EMPTY
    for path, data in found.items():
        if path not in foreign:
            assert data in (before.get(path), after.get(path)), path
            assert known.knows(path, index.digest(data)), f"{path} is there and the index does not know it"


def assert_done(repository: Path, after: dict[str, dict[str, bytes]], foreign: dict[str, dict[str, bytes]]) -> None:
    """One more run, and all is as if nobody had killed any."""
    code, out, err = rendering.okgen("render", ".", cwd=repository)
    assert code == 0, out + err
    assert rendering.okgen("check", ".", cwd=repository)[0] == 0
    output = repository / "output"
    assert sorted(path.name for path in output.iterdir()) == list(NAMES)
    for name in NAMES:
        assert contents(str(output / name)) == after[name] | foreign[name]


def test_killed_at_random_moments(in_memory: Path) -> None:
    seed = os.environ.get("OKGEN_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"OKGEN_SEED={seed}")
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    (in_memory / ".git").mkdir()
    output = in_memory / "output"
    write(in_memory, chance)
    before = wanted(in_memory)
    foreign: dict[str, dict[str, bytes]] = {name: {} for name in NAMES}
    started = time.monotonic()
    run(in_memory, Moment(0, sys.maxsize))
    took = time.monotonic() - started
    kills = turns = 0
    while kills < KILLS:
        turns += 1
        assert turns < 4 * KILLS, f"{kills} kills in {turns} runs"
        for name in chance.sample(NAMES, 2):
            shutil.rmtree(output / name)  # to be made from nothing
            before[name], foreign[name] = {}, {}
        other = chance.choice(NAMES)
        fill(str(output / other), FOREIGN)
        foreign[other] = {path: text.encode() for path, text in FOREIGN.items()}
        write(in_memory, chance)
        after = wanted(in_memory)
        killed = run(in_memory, Moment(chance.random() * took, chance.choice((None, chance.randrange(1000)))))
        kills += killed
        for name in NAMES:
            assert_whole(output / name, before[name], after[name], foreign[name])
        assert_done(in_memory, after, foreign)
        before = after
    print(f"{kills} kills in {turns} runs")
