"""``okgen watch``: renders again whenever an input is saved, and shows what that changes."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from okgen import passes as fleet
from okgen import pipeline, prerequisites
from okgen.cli import explained
from okgen.commands import options
from okgen.commands.render import summary
from okgen.diff import clusters, full
from okgen.manual import Example, Manual
from okgen.problem import Refused, Unable
from okgen.read import inputs
from okgen.report import wants_color
from okgen.text import harmless
from okgen.watching import NOTHING_NEEDED, Watch, Watched

if TYPE_CHECKING:
    import argparse

MANUAL = Manual(
    """\
Renders at once, then each time that a cluster.yaml, a YAML or JSON file beside it, or what it is
rendered from elsewhere is saved: files of patches, okgen.yaml, vendored CRDs. Shows what changed as
okgen diff does. With a folder, new files in it count too. Problems are shown, nothing is written, and
it goes on. Ctrl-C ends it. Needs watchfiles: pip install 'okgen[watch]'
""",
    {0: "ended by Ctrl-C", 2: "could not run"},
    (
        Example("okgen watch", "the cluster.yaml of this folder"),
        Example("okgen watch clusters", "every cluster below clusters/"),
        Example("okgen watch --output build .", "into build/, to look at it"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_output(parser)
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 when the user ends it. Raises Unable when it cannot begin."""
    gc.enable()  # unlike every other run, this one is long
    inputs.find(arguments.files)
    watched = Watched(arguments.files)
    watch = Watch(watched)
    try:
        for names in watch.changes():
            watch.follow(_needed(arguments))  # before they are read, so that no change is missed
            if names:
                sys.stderr.write(f"\n{', '.join(map(harmless, names))}\n")
            _again(arguments)
            if not names:
                sys.stderr.write(f"watching {', '.join(map(harmless, watched.shown))}; Ctrl-C ends it\n")
            sys.stderr.flush()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
    return 0


def _needed(arguments: argparse.Namespace) -> prerequisites.Prerequisites:
    """What the render reads beside the inputs; nothing while there are no inputs."""
    try:
        return prerequisites.of(inputs.find(arguments.files), arguments.output)
    except Unable:
        return NOTHING_NEEDED


def _again(arguments: argparse.Namespace) -> None:
    """One render; whatever is wrong is shown, and is no reason to stop."""
    try:
        _render(arguments)
    except Refused as refused:
        findings = pipeline.Findings()
        findings.add(refused.problems)
        options.report(arguments, findings)
    except Exception as error:
        if arguments.debug:
            raise
        sys.stderr.writelines(f"okgen: {harmless(line)}\n" for line in explained(error).splitlines())


def _render(arguments: argparse.Namespace) -> None:
    given = inputs.find(arguments.files)
    found = pipeline.Findings()
    wanted = clusters.Run(arguments.files, given, arguments.output, None)
    differing = [each for each in clusters.compared(wanted, given, found, found) if each.files]
    findings = pipeline.Findings()
    jobs = fleet.planned(given, findings, arguments.output, force=False)
    if options.report(arguments, findings):
        return
    changed = [(job, done) for job, done in fleet.written(jobs, arguments.output, force=False) if not done.is_empty]
    if differing:
        sys.stdout.write(full.text(differing, None, color=wants_color(arguments.color, sys.stdout)))
        sys.stdout.flush()
    for job, done in changed:
        sys.stderr.write(summary(job.name, done))
        sys.stderr.writelines(f"  {harmless(line)}\n" for line in job.remarks)
    if not changed:
        sys.stderr.write(f"no change in {len(jobs)} {'cluster' if len(jobs) == 1 else 'clusters'}\n")
