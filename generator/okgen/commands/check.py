"""``okgen check``: is what is there what would be rendered? Never writes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from okgen import drift, inputs, pipeline
from okgen.commands import options
from okgen.counter import Counter

if TYPE_CHECKING:
    import argparse

    from okgen.drift import Drift


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_output(parser)
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 up to date; 1 problems, or drift, which is listed. Raises Unable."""
    findings = pipeline.Findings()
    differing: list[Drift] = []
    given = inputs.find(arguments.files)
    with Counter(sys.stderr, "checking", "clusters") as counter:
        for _, plan in pipeline.planning(counter.each(given), findings, arguments.output):
            differing += drift.of(plan)
    wrong = options.report(arguments, findings, differing)
    if differing:
        sys.stderr.write(
            f"{len(differing)} {'file differs' if len(differing) == 1 else 'files differ'} from what is rendered\n"
        )
    elif not wrong:
        sys.stderr.write(f"{len(given)} {'cluster is' if len(given) == 1 else 'clusters are'} up to date\n")
    return int(wrong or bool(differing))
