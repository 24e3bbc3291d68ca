"""What is not as it would be rendered: which file, and in which way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen import plan

if TYPE_CHECKING:
    from okgen.plan import Plan

NOT_RENDERED = "not rendered yet"


class Drift(NamedTuple):
    """One difference: ``file`` is relative to the current folder.

    ``kind``: NOT_RENDERED, of a cluster's folder; else what ``plan.drift`` says of a file.
    ``diff``: the lines from what is there to what would be rendered, as a unified diff; empty where none is shown.
    """

    file: str
    kind: str
    diff: str = ""


def of(found: Plan) -> list[Drift]:
    """What differs in the folder of a cluster, sorted; one entry for a cluster that was never rendered."""
    here = os.path.relpath(found.folder)
    if found.recorded is None and not found.before and not found.unchanged:
        return [Drift(here, NOT_RENDERED)]
    return [Drift(os.path.join(here, path), kind) for path, kind in plan.drift(found)]
