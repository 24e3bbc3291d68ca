"""``okgen vendor``: fetches the pinned upstream files that clusters need, for ``gitops.crds: vendored``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from okgen import pipeline
from okgen.commands import options
from okgen.manual import Example, Manual
from okgen.progress import progress
from okgen.read import inputs
from okgen.text import harmless
from okgen.upstream import vendor
from okgen.upstream.fetch import Fetcher
from okgen.upstream.vendored import folder_of, sources_of
from okgen.write.folders import enter
from okgen.write.places import place_of

if TYPE_CHECKING:
    import argparse

    from okgen.pipeline import Resolved
    from okgen.upstream.vendor import Outcome, Source

MANUAL = Manual(
    """\
For clusters that must not fetch from the Internet. The files go to <root>/<gitops.path>/_vendor/; what
is there and right is not fetched again. Each is verified by its SHA-256 before it gets its name.
""",
    {
        0: "all files are there",
        1: "problems, or content that is not what is pinned",
        2: "out of reach, or could not run",
    },
    (
        Example("okgen vendor .", "for every cluster below this folder"),
        Example("okgen vendor --mirror https://github.com/=https://mirror.local/ .", "from a mirror"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.add_files(parser)
    options.add_output(parser)
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="PREFIX=URL",
        help="fetch what starts with PREFIX from URL instead; may be given more than once, the longest prefix wins",
    )
    parser.add_argument("--ca-file", default="", metavar="FILE", help="trust these certificates as well (PEM)")
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 all there; 1 problems, or content that is not what is pinned; 2 out of reach. Raises Unable."""
    findings = pipeline.Findings()
    mirrors = vendor.parse_mirrors(arguments.mirror)
    clusters = pipeline.resolved(inputs.find(arguments.files), findings)
    findings.judge(complete=False)
    if options.report(arguments, findings, stream=sys.stderr):
        return 1
    outcomes: list[Outcome] = []
    for folder, wanted in _wanted(clusters, arguments.output).items():
        found = vendor.vendor(wanted, folder, mirrors, progress(sys.stderr), Fetcher(arguments.ca_file))
        for each in found:
            messages = "".join(f"\n  {harmless(message)}" for message in each.messages)
            sys.stderr.write(f"{harmless(os.path.join(folder, each.place))}: {each.state}{messages}\n")
        outcomes += found
    if not outcomes:
        sys.stderr.write("nothing to fetch: no add-on of these clusters has upstream files\n")
    return vendor.exit_code(outcomes)


def _wanted(clusters: list[Resolved], output: str | None) -> dict[str, list[Source]]:
    """The pinned files, by the folder that holds them. Raises Refused for a symbolic link on the way there."""
    found: dict[str, list[Source]] = {}
    for each in clusters:
        place = place_of(each.input, each.cluster.path, each.cluster.name, output)
        parent = enter(place.parent, place.trusted)
        if parent is not None:
            os.close(parent)
        found.setdefault(folder_of(place), []).extend(sources_of(each.cluster))
    return {folder: sources for folder, sources in found.items() if sources}
