"""Options that several commands share, and how they show problems."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from okgen.problem import has_errors, in_order
from okgen.report import FORMATS, default_format, render, wants_color

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import TextIO

    from okgen.cache.memory import Memory
    from okgen.pipeline import Findings
    from okgen.write.drift import Drift

_COLOR = "whether to use colours; auto, the default: on a terminal unless NO_COLOR is set"


def add_files(parser: argparse.ArgumentParser) -> None:
    """The inputs: FILE and more."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="a cluster.yaml, or a folder: every cluster.yaml, *.cluster.yaml and *.okgen.yaml below it; "
        "default: cluster.yaml",
    )


def names_folder(arguments: argparse.Namespace) -> bool:
    """Whether a folder was given, so that what it does not hold any more is of interest, and trees are where they say.

    With --output, trees of other repositories may stand beside those of this run.
    """
    return arguments.output is None and any(map(os.path.isdir, arguments.files))


def add_report(parser: argparse.ArgumentParser) -> None:
    """How problems are shown: --format and --color."""
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=default_format(),
        help="how problems are shown (default: full; in GitHub Actions: github)",
    )
    add_color(parser)


def add_color(parser: argparse.ArgumentParser) -> None:
    """Whether to print in colour: --color."""
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help=_COLOR)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where trees go: --output."""
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=_named,
        help="the folder that holds one folder a cluster, in place of <root>/<gitops.path>",
    )


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Whether what earlier runs have found counts: --no-cache."""
    parser.add_argument(
        "--no-cache", action="store_true", help="render each cluster, whatever is remembered of earlier runs"
    )


def memory(arguments: argparse.Namespace, *, alone: bool) -> Memory | None:
    """What is remembered of earlier runs, for a run with these arguments; ``alone``: whether it has but one cluster."""
    if arguments.no_cache:
        return None
    from okgen.cache.memory import Memory

    return Memory.open(arguments.output, alone=alone)


def _named(folder: str) -> str:
    if not folder:  # a variable that is not set; taken for the current folder it would be littered
        import argparse  # it is there already, the parser calls this

        raise argparse.ArgumentTypeError("the name of the folder is empty")
    return folder


def report(
    arguments: argparse.Namespace,
    findings: Findings,
    drift: Sequence[Drift] = (),
    stream: TextIO | None = None,
) -> bool:
    """Print the problems and the drift of a run, on stdout unless told otherwise. True when there are errors."""
    target = stream or sys.stdout
    problems = in_order(findings.problems)
    color = wants_color(arguments.color, target)
    text = render(problems, arguments.format, findings.texts, color=color, drift=drift)
    try:
        target.write(text)
        target.flush()
    except BrokenPipeError:
        # The reader, `head` for one, has what it wanted; the exit code still says what was found.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open until the process ends
    return has_errors(problems)
