"""What a run found, as text: for people, for programs, and for the systems that show it beside the code.

One module a format; ``text(report)`` of each gives all that is to be printed, and is imported when it is asked for.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, TextIO

from okgen.problem import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from okgen.problem import Problem
    from okgen.write.drift import Drift

FORMATS = ("full", "concise", "json", "github", "sarif", "junit")
_FOR_PEOPLE = ("full", "concise", "github")


class Report(NamedTuple):
    """What there is to tell: problems by place, then what differs in trees.

    ``texts`` holds the text of each input file, for excerpts; ``color``: whether the reader is a terminal with colours.
    """

    problems: Sequence[Problem]
    drift: Sequence[Drift]
    texts: Mapping[str, str]
    color: bool


def render(
    problems: Iterable[Problem],
    form: str,
    texts: Mapping[str, str],
    color: bool,
    drift: Sequence[Drift] = (),
) -> str:
    """Problems sorted by place, then what has drifted, in one of ``FORMATS``; "" for people when there is nothing."""
    found = in_order(problems)
    if form in _FOR_PEOPLE and not found and not drift:
        return ""  # most runs: the format's module need not be read
    return str(import_module(f"okgen.report.{form}").text(Report(found, drift, texts, color)))


def default_format() -> str:
    """The format when none is asked for: ``github`` where GitHub Actions runs okgen, else ``full``."""
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "full"


def wants_color(flag: str, stream: TextIO) -> bool:
    """Whether to print in colour: ``always``, ``never``, or ``auto``: on a terminal unless NO_COLOR is set."""
    if flag != "auto":
        return flag == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
