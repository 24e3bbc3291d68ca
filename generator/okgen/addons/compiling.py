"""Compiles templates: parsed YAML becomes its fixed parts, and one expression that yields all its values at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.addons.parts import CONSTANT, MAPPING, REPEATED, SEQUENCE, VALUE, Part
from okgen.addons.template import Template, TemplateError, spot_at

if TYPE_CHECKING:
    from okgen.addons.template import Spot
    from okgen.read.source import Node

_HOLE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
DIRECTIVES = "okgen"  # the key of a mapping that holds `when`, `forEach` and `workload`


def compile_template(
    value: Any,  # noqa: ANN401 - any YAML value
    file: str,
    node: Node | None = None,
    compiler: Compiler | None = None,
) -> Template:
    """Compile parsed YAML; ``node`` holds its places, ``compiler`` is one that writes more into the text.

    Raises TemplateError.
    """
    compiler = compiler or Compiler(file)
    workload = ""
    if isinstance(value, dict) and isinstance(value.get(DIRECTIVES), dict):
        directives = dict(value[DIRECTIVES])
        workload = directives.pop("workload", "")
        value = {**value, DIRECTIVES: directives}
    part = compiler.part(value, node)
    is_loop = part[0] == REPEATED
    whole = compiler.text().removesuffix(",") if is_loop else f"[({compiler.text()})]"
    offset = 0 if is_loop else len("[(")
    spots = [(start + offset, line, column, text) for start, line, column, text in compiler.spots]
    try:
        code = compile(whole, file, "eval")
    except SyntaxError as error:
        place = spot_at((error.offset or 1) - 1, spots)
        raise TemplateError(f"{file}{place}: not an expression: {error.msg}") from None
    return Template(file, part, code, spots, workload)


class Compiler:
    """Splits a value into its fixed parts and one text with the expressions in it, in the order they are found."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.spots: list[Spot] = []
        self._pieces: list[str] = []
        self._length = 0

    def text(self) -> str:
        """The expressions, each followed by a comma; those of a conditional mapping in a loop of their own."""
        return "".join(self._pieces)

    def part(self, value: Any, node: Node | None) -> Part:  # noqa: ANN401 - any YAML value
        """The fixed part of a value; its expressions join the text."""
        if isinstance(value, str):
            return self._scalar(value, node) if "${{" in value else (CONSTANT, value)
        if isinstance(value, dict) and value:
            return self._mapping(value, node)
        if isinstance(value, list) and value:
            return self._sequence(value, node)
        return CONSTANT, value

    def _mapping(self, value: dict[str, Any], node: Node | None) -> Part:
        children = node.children if node is not None and isinstance(node.children, dict) else {}
        before = len(self._pieces)
        if DIRECTIVES in value:
            self._write("[(")
        entries = []
        for key, item in value.items():
            if key != DIRECTIVES:
                child = children.get(key)
                entries.append((key, self.part(item, child[2] if child else None)))
        if DIRECTIVES in value:
            child = children.get(DIRECTIVES)
            self._loop(value[DIRECTIVES], child[2] if child else node)
            return REPEATED, (MAPPING, tuple(entries))
        return (MAPPING, tuple(entries)) if len(self._pieces) > before else (CONSTANT, value)

    def _sequence(self, value: list[Any], node: Node | None) -> Part:
        children = node.children if node is not None and isinstance(node.children, list) else [None] * len(value)
        before = len(self._pieces)
        items = tuple(self.part(item, child) for item, child in zip(value, children, strict=True))
        return (SEQUENCE, items) if len(self._pieces) > before else (CONSTANT, value)

    def _loop(self, directives: Any, node: Node | None) -> None:  # noqa: ANN401 - any YAML value
        """Closes the loop that makes a conditional mapping: one turn for each time it is there."""
        if not isinstance(directives, dict) or directives.keys() - {"when", "forEach"}:
            raise self._error("`okgen` takes `when` and `forEach`", node)
        if "forEach" in directives:
            self._write(") for index,item in enumerate(_named(")
            self._directive(directives, "forEach", node)
            self._write("))")
        else:
            # One turn, under a name that leaves the `item` and `index` of a `forEach` around it visible.
            self._write(") for _ in (None,)")
        if "when" in directives:
            self._write(" if ")
            self._directive(directives, "when", node)
        self._write("],")

    def _directive(self, directives: dict[str, Any], name: str, node: Node | None) -> None:
        value = directives[name]
        found = _HOLE.fullmatch(value.strip()) if isinstance(value, str) else None
        if not found:
            raise self._error(f"expected one ${{{{ expression }}}}: {value}", node)
        self._expression(found[1], node)

    def _scalar(self, value: str, node: Node | None) -> Part:
        whole = _HOLE.fullmatch(value.strip())
        if whole:
            text = whole[1].strip()
            splice = text.startswith("*")
            self._expression(text.removeprefix("*"), node)
            self._write(",")
            return VALUE, splice
        pieces = _HOLE.split(value)
        if "${{" in "".join(pieces[::2]):
            raise self._error(f"an expression is not closed: {value}", node)
        self._write("''.join((")
        for number, piece in enumerate(pieces):
            if number % 2:
                self._expression(piece, node, "_text")
                self._write(",")
            else:
                self._write(f"{piece!r},")
        self._write(")),")
        return VALUE, False

    def _expression(self, text: str, node: Node | None, function: str = "") -> None:
        line, column = (node.line, node.column) if node else (1, 1)
        self.spots.append((self._length, line, column, text))
        # In one line, so that a place in the text is a number; in parentheses, so that it cannot reach beyond itself.
        self._write(f"{function}({' '.join(text.splitlines())})")

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text.encode())

    def _error(self, message: str, node: Node | None) -> TemplateError:
        place = f":{node.line}:{node.column}" if node else ""
        return TemplateError(f"{self.file}{place}: {message}")
