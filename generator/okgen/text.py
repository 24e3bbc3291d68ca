"""Text of files: its lines as YAML counts them, and how to show it without harm."""

from __future__ import annotations

_SHOWN = 60


def lines_of(text: str) -> list[str]:
    """The lines without their ends: a line feed, a carriage return, or both."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def place_after(text: str) -> tuple[int, int]:
    """Line and column, from 1, of what follows a text."""
    lines = lines_of(text)
    return len(lines), len(lines[-1]) + 1


def shown(text: str) -> str:
    """A text as messages quote it: not longer than a line."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def harmless(text: str) -> str:
    r"""A text that steers neither a terminal nor a pipeline.

    What is not printable becomes an escape sequence, ``\x1b`` for instance, and so does a ``#`` of ``##vso[`` and
    ``##[``, which Azure Pipelines, TeamCity and GitHub take for commands wherever they meet them in a log.
    """
    if "##" in text:
        import re  # few texts need it

        text = re.sub(r"##(?=\w*\[)", r"#\\x23", text)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def harmless_line(text: str) -> str:
    """The same for a whole line, which GitHub takes for a command where it starts with ``::``, be it after blanks."""
    line = harmless(text)
    blanks = len(line) - len(line.lstrip())
    return f"{line[:blanks]}\\x3a{line[blanks + 1 :]}" if line.startswith("::", blanks) else line
