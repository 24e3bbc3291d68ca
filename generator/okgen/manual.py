"""What the help page of a command says beside its options; ``okgen COMMAND --help`` and the docs show it."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """A line as it is typed, and what it is for, in a few words."""

    line: str
    what: str


class Manual(NamedTuple):
    """``text``: paragraphs of lines up to 100 characters. ``exits``: when the command ends with which exit code."""

    text: str
    exits: dict[int, str]
    examples: tuple[Example, ...]


_WIDTH = 100


def closing(manual: Manual) -> str:
    """The end of a help page: exit codes and examples, each in a line, or in two where lines are long."""
    width = max(len(each.line) for each in manual.examples)
    exits = [f"  {code}  {when}" for code, when in manual.exits.items()]
    examples = [f"  {each.line.ljust(width)}  {each.what}" for each in manual.examples]
    if max(map(len, examples)) > _WIDTH:
        examples = [f"  {each.line}\n      {each.what}" for each in manual.examples]
    return "\n".join(["exit codes:", *exits, "", "examples:", *examples]) + "\n"
