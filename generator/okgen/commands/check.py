"""``okgen check``: is what is there what would be rendered? Never writes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from okgen import inputs, pipeline, plan
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
    drift = [entry for each in plans for entry in _drift(each)]
    wrong = options.report(arguments, findings, drift)
    if drift:
        sys.stderr.write(
            f"{len(drift)} {'file differs' if len(drift) == 1 else 'files differ'} from what is rendered\n"
        )
    elif not wrong:
        sys.stderr.write(f"{len(trees)} {'cluster is' if len(trees) == 1 else 'clusters are'} up to date\n")
    return int(wrong or bool(drift))


def _drift(found: plan.Plan) -> list[tuple[str, str]]:
    """File and kind of each difference; one line for a cluster that was never rendered."""
    here = os.path.relpath(found.folder)
    if found.recorded is None and not found.before and not found.unchanged:
        return [(here, "not rendered yet")]
    return [(os.path.join(here, path), kind) for path, kind in plan.drift(found)]
