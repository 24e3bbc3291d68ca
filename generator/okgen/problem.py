"""What can be wrong with an input, as values: a problem has a place, a stable code and a way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str | int, ...]


class Related(NamedTuple):
    """Another place that a problem is about, and what is there, in a few words."""

    file: str
    line: int
    column: int
    label: str


class Problem(NamedTuple):
    """One mistake in one place, with the other places it is about.

    ``file`` is relative to the current folder, ``line`` and ``column`` count from 1,
    ``severity`` is ``error`` or ``warning``, ``path`` reads ``dns.zones[0].name``.
    """

    file: str
    line: int
    column: int
    code: str
    severity: str
    message: str
    path: str = ""
    help: str = ""
    related: tuple[Related, ...] = ()

    @property
    def is_error(self) -> bool:
        """Whether this problem stops the run; a warning does not."""
        return self.severity == "error"


class Refused(Exception):  # noqa: N818 - it is a verdict on the input, not a fault of the program
    """Carries problems out of a stage. Exit code 1."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(f"{p.file}:{p.line}:{p.column}: {p.code} {p.message}" for p in self.problems))


class Unable(Exception):  # noqa: N818 - it is a verdict on the call, not a fault of the program
    """The command could not run at all: a file is missing, the disk is full. Exit code 2."""


def dotted(path: Path) -> str:
    """The key path as people write it: ``("dns", "zones", 0, "name")`` is ``dns.zones[0].name``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sorted by place, each once."""
    return sorted(set(problems))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Whether any of them stops the run."""
    return any(problem.is_error for problem in problems)
