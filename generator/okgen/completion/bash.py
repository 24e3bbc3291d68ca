"""Completion in bash, 3.2 and later: a function that looks at the words typed so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.completion import FILES, FOLDERS

if TYPE_CHECKING:
    from okgen.completion import Page, Value

# bash takes "=" for a word of its own, so that --format=full is three.
_START = """\
# bash completion for okgen: source <(okgen completion bash)
_okgen() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= position
    if [[ $current == = ]]; then
        current=
    elif [[ $previous == = ]]; then
        previous=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((position = 1; position < COMP_CWORD; position++)); do
        if [[ ${COMP_WORDS[position]} != -* ]]; then
            command=${COMP_WORDS[position]}
            break
        fi
    done
    COMPREPLY=()
    case "$command $previous" in
"""
_MIDDLE = """\
    esac
    case $command in
"""
_END = """\
    esac
}
complete -F _okgen okgen
"""


def script(pages: list[Page]) -> str:
    """The text to be sourced."""
    lines = [_START]
    for page in pages:
        for option in page.options:
            if option.value:
                patterns = "|".join(f'"{page.name} {name}"' for name in option.names)
                lines.append(f"        {patterns}) {_words(option.value)}; return ;;\n")
    return "".join([*lines, _MIDDLE, *map(_operands, pages), _END])


def _operands(page: Page) -> str:
    options = " ".join(name for option in page.options for name in option.names)
    operand = f" else {_words(page.operands[0])};" if page.operands else ""
    pattern = page.name or "''"
    return f"        {pattern}) if [[ $current == -* ]]; then {_chosen(options)};{operand} fi ;;\n"


def _words(value: Value) -> str:
    if value.choices:
        return _chosen(" ".join(value.choices))
    # Nothing in COMPREPLY: readline's own completion of names goes on, which knows how to quote.
    return {FILES: "compopt -o default 2>/dev/null", FOLDERS: "compopt -o dirnames 2>/dev/null"}.get(value.kind, ":")


def _chosen(words: str) -> str:
    return f"COMPREPLY=($(compgen -W '{words}' -- \"$current\"))"
