"""What this repository commits as an example of okgen's output is what okgen renders."""

from __future__ import annotations

import pytest

import rendering

pytestmark = pytest.mark.golden


def test_output_is_up_to_date(update_golden: bool) -> None:
    if update_golden:
        assert rendering.okgen("render", "examples", cwd=rendering.REPOSITORY)[0] == 0

    code, out, err = rendering.okgen("check", "examples", cwd=rendering.REPOSITORY)

    assert code == 0, f"{out}{err}\nmake golden brings it up to date"


def test_every_example_is_rendered() -> None:
    inputs = list((rendering.REPOSITORY / "examples").rglob("*cluster.yaml"))
    indexes = list((rendering.REPOSITORY / "output").rglob(rendering.INDEX))

    assert inputs
    assert len(indexes) == len(inputs)
