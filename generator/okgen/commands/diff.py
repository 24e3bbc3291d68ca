"""``okgen diff``: what a render changes, against the tree on disk or as committed at a Git revision."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from okgen import pipeline
from okgen.commands import options
from okgen.counter import Counter
from okgen.manual import Example, Manual
from okgen.read import inputs
from okgen.report import render, wants_color

if TYPE_CHECKING:
    import argparse

    from okgen.diff.nouns import ClusterDiff

MANUAL = Manual(
    """\
Objects are compared field by field, lists by what names their entries. First a table of clusters and
add-ons; then what changes by risk: removals, changes that the API server will refuse, wider rights,
DNS, images, pods that restart, the rest. The same change in many clusters is shown once, with the line
of cluster.yaml that caused it. Nothing is written.
""",
    {
        0: "no effect; with --expect-empty: no difference at all",
        1: "some, or problems",
        2: "could not run",
    },
    (
        Example("okgen diff .", "against the trees on disk: what okgen render would do"),
        Example("okgen diff --base HEAD .", "against the trees as last committed"),
        Example("okgen diff --base HEAD --expect-empty .", "after a refactoring"),
        Example("okgen diff --format markdown . > diff.md", "for a comment on a pull request"),
    ),
)
FORMATS = ("full", "markdown", "json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    parser.add_argument(
        "--base", metavar="REV", help="compare with the trees as committed at this Git revision, not with those on disk"
    )
    options.add_output(parser)
    parser.add_argument("--format", choices=FORMATS, default="full", help="how it is shown (default: full)")
    parser.add_argument(
        "--expect-empty",
        action="store_true",
        help="for refactorings: exit with 1 when any byte differs, even where that has no effect",
    )
    options.add_color(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 no effect; 1 some, or problems; with --expect-empty 1 for any difference. Raises Unable."""
    from okgen.diff.clusters import Run, compared

    findings, beside = pipeline.Findings(), pipeline.Findings()
    given = inputs.find(arguments.files)
    todo = Run(arguments.files, given, arguments.output, arguments.base)
    with Counter(sys.stderr, "comparing", "clusters") as counter:
        diffs = list(compared(todo, counter.each(given), findings, beside))
    color = wants_color(arguments.color, sys.stderr)
    sys.stderr.write(render([*findings.problems, *beside.problems], "full", findings.texts, color=color))
    if findings.are_errors:
        return 1
    shown = import_module(f"okgen.diff.{arguments.format}")
    sys.stdout.write(shown.text(diffs, arguments.base, color=wants_color(arguments.color, sys.stdout)))
    return int(_differs(diffs, arguments.expect_empty) or beside.are_errors)


def _differs(diffs: list[ClusterDiff], expect_empty: bool) -> bool:
    from okgen.diff.full import names

    if not expect_empty:
        return any(each.effects or each.state in ("added", "removed") for each in diffs)
    files = sorted({f"{each.folder}/{name}" for each in diffs for name in each.files})
    if files:
        what = "1 file differs" if len(files) == 1 else f"{len(files)} files differ"
        sys.stderr.write(f"expected no difference, and {what}: {names(files)}\n")
    return bool(files)
