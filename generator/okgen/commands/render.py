"""``okgen render``: brings the tree of each cluster up to date, or of none when anything is wrong."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from okgen import passes as fleet
from okgen import pipeline
from okgen.commands import options
from okgen.counter import Counter
from okgen.manual import Example, Manual
from okgen.orphans import Orphans
from okgen.problem import Unable
from okgen.read import inputs
from okgen.text import harmless

if TYPE_CHECKING:
    import argparse

    from okgen.write.plan import Plan

MANUAL = Manual(
    """\
All inputs are read and judged first: when anything is wrong with one of them, nothing is written for
any. Only files that differ are written. Files that okgen wrote once and does not render any more are
removed; files of others are left alone. A rendered file that was edited by hand stops the render,
which names it; okgen adopt keeps the edit as a patch in cluster.yaml, --force overwrites it.

A tree goes to <root>/<gitops.path>/<metadata.name>/, where <root> is the root of the Git repository.
A line a cluster on stderr says what changed, and what is left for you to do.
""",
    {
        0: "done, also when something was written",
        1: "problems: nothing is written; or --fail-on-change, see there",
        2: "could not run",
    },
    (
        Example("okgen render", "the cluster.yaml of this folder"),
        Example("okgen render .", "every cluster below this folder"),
        Example("okgen render --output build .", "into build/, to look at it"),
        Example("okgen render --fail-on-change .", "in a hook: stop the commit until all is staged"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_output(parser)
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that were edited by hand or are in the way"
    )
    parser.add_argument(
        "--fail-on-change",
        action="store_true",
        help="exit with 1 when anything was written or, in a Git repository, is not staged; for hooks: it prints "
        "the `git add` and `git rm` lines",
    )
    options.add_cache(parser)
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 done; 1 problems, or written with --fail-on-change. Raises Unable."""
    findings = pipeline.Findings()
    output, force = arguments.output, arguments.force
    given = inputs.find(arguments.files)
    orphans = Orphans()
    alone = len(given) == 1
    memory = options.memory(arguments, alone=alone)
    with Counter(sys.stderr, "rendering", "clusters") as counter:
        jobs = fleet.planned(counter.each(given), findings, output, memory, alone=alone, force=force, orphans=orphans)
    if memory:
        memory.save()
    if options.report(arguments, findings):
        return 1
    changed = False
    folders = []
    for job, done in fleet.written(jobs, output, force=force):
        changed = changed or not done.is_empty
        folders.append(done.folder)
        sys.stderr.write(summary(job.name, done))
        sys.stderr.writelines(f"  {harmless(line)}\n" for line in job.remarks)
    if options.names_folder(arguments):
        sys.stderr.writelines(_left(folder) for folder in orphans.find())
    return int(arguments.fail_on_change and (_tell_unstaged(folders) or changed))


def _tell_unstaged(folders: list[str]) -> bool:
    """Whether something of the trees is not staged; prints the commands that stage it."""
    from okgen.staging import commands, unstaged  # starts Git

    try:
        found = unstaged(folders)
    except Unable as unable:
        sys.stderr.writelines(
            f"cannot tell what is staged: {harmless(line)}\n" for line in str(unable).splitlines()[:1]
        )
        return False
    if found:
        lines = [f"  {line}\n" for each in found for line in commands(each)]
        sys.stderr.write("not staged, so not in a commit yet:\n" + "".join(lines))
    return bool(found)


def _left(folder: str) -> str:
    """Deleting a whole tree is left to people: Argo CD may still sync it, and it goes from Git in one command."""
    where = harmless(os.path.relpath(folder))
    return f"{where}: no cluster.yaml renders this; left as it is, see okgen's docs/argocd.md, Removing a cluster\n"


def summary(name: str, done: Plan) -> str:
    """What was done for a cluster, in a line."""
    counts = {"created": done.create, "updated": done.update, "removed": done.delete}
    changed = ", ".join(f"{len(paths)} {what}" for what, paths in counts.items() if paths)
    where = harmless(os.path.relpath(done.folder))
    return f"{name}: {changed or 'no change'}, {done.unchanged} unchanged in {where}\n"
