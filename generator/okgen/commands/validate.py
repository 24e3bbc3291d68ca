"""``okgen validate``: schema and cross-checks, nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from okgen import pipeline
from okgen.commands import options
from okgen.counter import Counter
from okgen.manual import Example, Manual
from okgen.read import inputs

if TYPE_CHECKING:
    import argparse

MANUAL = Manual(
    """\
What render and check judge first, without a look at the tree: YAML, the schema, and what keys say of
one another. All problems of all files are shown at once, sorted by place.
""",
    {0: "valid; warnings do not count", 1: "problems, listed on stdout", 2: "could not run"},
    (
        Example("okgen validate", "the cluster.yaml of this folder"),
        Example("okgen validate --format concise clusters", "one line a problem, for editors"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when every file is right, else 1. Raises Unable."""
    findings = pipeline.Findings()
    # Patches are matched against what is rendered, so validating renders too; it only takes milliseconds.
    given = inputs.find(arguments.files)
    with Counter(sys.stderr, "validating", "clusters") as counter:
        valid = sum(1 for _ in pipeline.rendering(counter.each(given), findings, alone=len(given) == 1))
    if options.report(arguments, findings):
        return 1
    sys.stderr.write(f"{valid} {'cluster is' if valid == 1 else 'clusters are'} valid\n")
    return 0
