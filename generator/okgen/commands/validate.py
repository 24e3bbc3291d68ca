"""``okgen validate``: schema and cross-checks, nothing else."""

from __future__ import annotations

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
    pipeline.rendered(inputs.find(arguments.files), findings)
    return int(options.report(arguments, findings))
