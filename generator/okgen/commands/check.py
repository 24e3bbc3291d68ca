"""``okgen check``: is what is there what would be rendered? Never writes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from okgen import drift, inputs, pipeline
from okgen.commands import options

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_output(parser)
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 up to date; 1 problems, or drift, which is listed. Raises Unable."""
    findings = pipeline.Findings()
    trees = pipeline.rendered(inputs.find(arguments.files), findings, arguments.output)
    plans = [] if findings.are_errors else pipeline.plans(trees, findings)
    differing = [entry for each in plans for entry in drift.of(each)]
    wrong = options.report(arguments, findings, differing)
    if differing:
        sys.stderr.write(
            f"{len(differing)} {'file differs' if len(differing) == 1 else 'files differ'} from what is rendered\n"
        )
    elif not wrong:
        sys.stderr.write(f"{len(trees)} {'cluster is' if len(trees) == 1 else 'clusters are'} up to date\n")
    return int(wrong or bool(differing))
