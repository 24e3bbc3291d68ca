"""``okgen render``: brings the tree of each cluster up to date, or of none when anything is wrong."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from okgen import inputs, pipeline, plan, tree
from okgen.commands import options
from okgen.notes import notes
from okgen.text import harmless

if TYPE_CHECKING:
    import argparse

    from okgen.pipeline import Rendered
    from okgen.plan import Plan


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_output(parser)
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that were edited by hand or are in the way"
    )
    parser.add_argument(
        "--fail-on-change", action="store_true", help="exit with 1 when anything was written, for hooks"
    )
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 done; 1 problems, or written with --fail-on-change. Raises Unable."""
    findings = pipeline.Findings()
    trees = pipeline.rendered(inputs.find(arguments.files), findings, arguments.output)
    plans = [] if findings.are_errors else pipeline.plans(trees, findings, force=arguments.force)
    for each in plans:
        findings.add(plan.problems(each))
    if options.report(arguments, findings):
        return 1
    for rendered, each in zip(trees, plans, strict=True):
        remarks = notes(rendered, each)
        tree.apply(each)
        sys.stderr.write(_summary(rendered, each))
        sys.stderr.writelines(f"  {harmless(line)}\n" for line in remarks)
    return int(arguments.fail_on_change and not all(each.is_empty for each in plans))


def _summary(rendered: Rendered, done: Plan) -> str:
    counts = {"created": done.create, "updated": done.update, "removed": done.delete}
    changed = ", ".join(f"{len(paths)} {what}" for what, paths in counts.items() if paths)
    where = harmless(os.path.relpath(rendered.place.folder))
    return f"{rendered.cluster.name}: {changed or 'no change'}, {done.unchanged} unchanged in {where}\n"
