"""Completion of okgen's command line in shells: what there is to complete, read off the parsers; one module a shell.

``script(pages)`` of each module gives the text to be sourced.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SHELLS = ("bash", "zsh", "fish")
FILES, FOLDERS, NOTHING = "files", "folders", "nothing"
# By metavar, what a value is. Others are not to be guessed.
_KINDS = {"FILE": FILES, "PATH": FILES, "PLACE": FILES, "DIR": FOLDERS}
_ADDON = "NAME"


class Value(NamedTuple):
    """What may stand in a place: one of ``choices`` or, without any, ``kind``: FILES, FOLDERS or NOTHING."""

    name: str
    choices: tuple[str, ...]
    kind: str
    help: str = ""


class Option(NamedTuple):
    """An option with its value, None for one that takes none, and the whole text of its help."""

    names: tuple[str, ...]
    value: Value | None
    help: str


class Page(NamedTuple):
    """A command: what may follow its name. ``operands``: what is no option; shells offer the first."""

    name: str
    summary: str
    options: tuple[Option, ...]
    operands: tuple[Value, ...]


def pages(parser: argparse.ArgumentParser, addons: Sequence[str]) -> list[Page]:
    """What the parser of the command line takes, the program itself first, its name empty; then each command."""
    found = [_page("", "", parser, addons)]
    for action in _actions(parser):
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - argparse has no public way to ask
            summaries = {each.dest: each.help or "" for each in action._choices_actions}  # noqa: SLF001 - likewise
            found += [_page(name, summaries[name], child, addons) for name, child in action.choices.items()]
    return found


def clause(text: str) -> str:
    """The first clause of a help text: as much as shells have room for."""
    return text.split(";", maxsplit=1)[0].split(" (default", maxsplit=1)[0]


def _page(name: str, summary: str, parser: argparse.ArgumentParser, addons: Sequence[str]) -> Page:
    options, operands = [], []
    for action in _actions(parser):
        if action.option_strings:
            value = _value(action, addons) if action.nargs != 0 else None
            options.append(Option(tuple(action.option_strings), value, action.help or ""))
        else:
            operands.append(_value(action, addons))
    return Page(name, summary, tuple(options), tuple(operands))


def _value(action: argparse.Action, addons: Sequence[str]) -> Value:
    named = action.metavar if isinstance(action.metavar, str) else action.dest
    choices = tuple(addons) if named == _ADDON else tuple(map(str, action.choices or ()))
    return Value(named, choices, _KINDS.get(named, NOTHING), action.help or "")


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    yield from parser._actions  # noqa: SLF001 - argparse has no public way to ask
