"""Completion in fish: one line for each thing there is to complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.completion import FILES, FOLDERS, clause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.completion import Option, Page, Value

_START = """\
# fish completion for okgen: okgen completion fish | source, or into ~/.config/fish/completions/okgen.fish
complete -c okgen -f
"""
_KINDS = {FILES: "-r -F", FOLDERS: "-x -a '(__fish_complete_directories)'"}


def script(pages: list[Page]) -> str:
    """The text to be sourced."""
    return _START + "".join(f"complete -c okgen {line}\n" for page in pages for line in _page(page))


def _page(page: Page) -> Iterator[str]:
    when = f"'__fish_seen_subcommand_from {page.name}'" if page.name else "__fish_use_subcommand"
    if page.name:
        yield f"-n __fish_use_subcommand -a {page.name} -d {_quoted(page.summary)}"
    for option in page.options:
        yield f"-n {when} {_option(option)}"
    for operand in page.operands[:1] if page.name else ():
        if operand.choices:
            yield f"-n {when} -a {_quoted(' '.join(operand.choices))}"
        elif operand.kind == FILES:
            yield f"-n {when} -F"


def _option(option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    value = f" {_value(option.value)}" if option.value else ""
    return f"{' '.join(names)}{value} -d {_quoted(clause(option.help))}"


def _value(value: Value) -> str:
    return f"-x -a {_quoted(' '.join(value.choices))}" if value.choices else _KINDS.get(value.kind, "-x")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
