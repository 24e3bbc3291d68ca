"""``okgen validate``: schema and cross-checks, nothing else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from okgen import inputs, pipeline
from okgen.commands import options

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when every file is right, else 1. Raises Unable."""
    findings = pipeline.Findings()
    # Patches are matched against what is rendered, so validating renders too; it only takes milliseconds.
    trees = pipeline.rendered(inputs.find(arguments.files), findings)
    if options.report(arguments, findings):
        return 1
    sys.stderr.write(f"{len(trees)} {'cluster is' if len(trees) == 1 else 'clusters are'} valid\n")
    return 0
