"""``okgen check``: is what is there what would be rendered? Never writes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from okgen import pipeline
from okgen.commands import options
from okgen.counter import Counter
from okgen.manual import Example, Manual
from okgen.orphans import Orphans
from okgen.parallel import Helpers
from okgen.read import inputs
from okgen.write.drift import Differences

if TYPE_CHECKING:
    import argparse

MANUAL = Manual(
    """\
The question of every pipeline: is what is committed what okgen renders? Drift is listed by file and
kind: missing, stale, edited by hand (with the edit), left over, rendered by another version of okgen.
Nothing is written into the repository; what clusters render to is remembered elsewhere for the next
run. The format github annotates pull requests, sarif and junit are for other systems.
""",
    {
        0: "all is as it would be rendered; warnings do not count",
        1: "problems or drift, listed on stdout",
        2: "could not run",
    },
    (
        Example("okgen check .", "every cluster below this folder"),
        Example("okgen check --diff .", "with what differs in each file"),
        Example("okgen check --format junit . > okgen.xml", "for GitLab, Jenkins and others"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_output(parser)
    parser.add_argument(
        "--diff", action="store_true", help="show for each file what differs; without it, only for edits by hand"
    )
    options.add_cache(parser)
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 up to date; 1 problems, or drift, which is listed. Raises Unable."""
    findings = pipeline.Findings()
    differences = Differences(contents=arguments.diff)
    orphans = Orphans()
    given = inputs.find(arguments.files)
    alone = len(given) == 1
    memory = options.memory(arguments, alone=alone)
    with Counter(sys.stderr, "checking", "clusters") as counter, Helpers(given, arguments.output, memory) as helpers:
        for each in pipeline.planning(counter.each(given), findings, arguments.output, helpers, alone=alone):
            if each.rendered:
                differences.add(each.plan, each.rendered.files)
            orphans.add(each.input, each.plan.folder)
    if memory:
        memory.save()
    if options.names_folder(arguments):
        differences.add_orphans(orphans.find())
    drift = differences.found
    wrong = options.report(arguments, findings, drift)
    if drift:
        sys.stderr.write(
            f"{len(drift)} {'file differs' if len(drift) == 1 else 'files differ'} from what is rendered\n"
        )
    elif not wrong:
        sys.stderr.write(f"{len(given)} {'cluster is' if len(given) == 1 else 'clusters are'} up to date\n")
    return int(wrong or bool(drift))
