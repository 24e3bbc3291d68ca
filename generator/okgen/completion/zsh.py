"""Completion in zsh: a function for its _arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from okgen.completion import FILES, FOLDERS, clause

if TYPE_CHECKING:
    from okgen.completion import Option, Page, Value

_ACTIONS = {FILES: "_files", FOLDERS: "_files -/"}
_START = """\
#compdef okgen
# zsh completion for okgen: source <(okgen completion zsh), or this text as _okgen in a folder of $fpath
_okgen() {
    local curcontext=$curcontext state line
    local -a commands=(
"""
_END = """\
                *) _files ;;
            esac
            ;;
    esac
}
if [[ ${funcstack[1]} == _okgen ]]; then
    _okgen "$@"
else
    compdef _okgen okgen
fi
"""


def script(pages: list[Page]) -> str:
    """The text to be sourced."""
    program, *commands = pages
    described = [f"        {_quoted(f'{each.name}:{_escaped(each.summary)}')}\n" for each in commands]
    options = [f" \\\n        {spec}" for option in program.options for spec in _specs(option)]
    return "".join(
        [
            _START,
            *described,
            "    )\n    _arguments -C",
            *options,
            " \\\n        '1:command:->command' '*::argument:->arguments'\n",
            "    case $state in\n        command) _describe command commands ;;\n        arguments)\n",
            "            case $words[1] in\n",
            *map(_case, commands),
            _END,
        ]
    )


def _case(page: Page) -> str:
    specs = [spec for option in page.options for spec in _specs(option)]
    specs += [_quoted(f"*:{each.name}:{_action(each)}") for each in page.operands[:1]]
    listed = "".join(f" \\\n                    {spec}" for spec in specs)
    return f"                {page.name}) _arguments{listed} ;;\n"


def _specs(option: Option) -> list[str]:
    value = f":{_escaped(option.value.name)}:{_action(option.value)}" if option.value else ""
    mark = "=" if option.value else ""
    return [
        _quoted(f"{name}{mark if name.startswith('--') else ''}[{_escaped(clause(option.help))}]{value}")
        for name in option.names
    ]


def _action(value: Value) -> str:
    return f"({' '.join(value.choices)})" if value.choices else _ACTIONS.get(value.kind, " ")


def _escaped(text: str) -> str:
    return re.sub(r"([\\:\[\]])", r"\\\1", text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
