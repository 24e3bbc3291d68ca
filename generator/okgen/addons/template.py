"""Templates: YAML that is parsed first and then filled, so that no value can change the structure around it.

A scalar may hold ``${{ expression }}``; CONTRIBUTING.md, "Templates", lists the language. A template is compiled
into one Python expression that yields all its values at once. They are the template's whole dependence on a cluster,
so what was built from them can be kept for the next cluster with the same values.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from okgen.render.emit import keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import CodeType

    from okgen.read.source import Node

_HOLE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
DIRECTIVES = "okgen"  # the key of a mapping that holds `when`, `forEach` and `workload`


class TemplateError(Exception):
    """A fault in an add-on folder, never in a user's input. The message starts with file:line:column."""


class _Omit:
    """Stands for a value that is to be left out together with its key or list item."""

    def __repr__(self) -> str:
        return "omit"


OMIT = _Omit()


# The parts of a template, as plain tuples, so that they can be marshalled: (kind, what it holds).
_CONSTANT = 0  # a value without expressions
VALUE = 1  # one expression; True when the items of its list go into the list around it
_MAPPING = 2  # ((key, part), …)
_SEQUENCE = 3  # (part, …)
_REPEATED = 4  # a mapping under `when` or `forEach`: present once for each tuple of values
Part = tuple[int, Any]
_Spot = tuple[int, int, int, str]  # where an expression starts in the compiled text, its line, column and text


class Template:
    """A compiled template. ``workload`` names the workload whose Deployment this is, or is empty."""

    __slots__ = ("_code", "_is_told", "_part", "_spots", "file", "workload")

    def __init__(self, file: str, part: Part, code: CodeType, spots: list[_Spot], workload: str) -> None:
        self.file, self._part, self._code, self._spots, self.workload = file, part, code, spots, workload
        self._is_told = False

    def values(self, scope: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The values of the template's expressions, one tuple for each object it makes. Raises TemplateError."""
        try:
            found: list[tuple[Any, ...]] = eval(self._code, scope)  # noqa: S307 - okgen's own text
        except Exception as error:
            place = _place(error, self._code, self._spots)
            raise TemplateError(f"{self.file}{place}: {type(error).__name__}: {error}") from error
        return found

    def mentions(self, names: Iterable[str]) -> bool:
        """Whether one of these names stands anywhere in its expressions, be it in quotes."""
        return any(re.search(rf"\b(?:{'|'.join(names)})\b", text) for _, _, _, text in self._spots)

    def keys_of(self, name: str) -> set[str] | None:
        """The keys of the mapping of this name that it asks for; None when it takes the mapping whole."""
        found = [key for _, _, _, text in self._spots for key in _keys_of(name, text)]
        return None if "" in found else set(found)

    def build(self, values: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any YAML value
        """The object that one tuple of values makes; parts without expressions are shared, so it is read-only."""
        if not self._is_told:
            self._is_told = True
            _tell(self._part)
        kind, body = self._part
        return _build(body if kind == _REPEATED else self._part, iter(values))

    def fill(self, scope: dict[str, Any]) -> list[Any]:
        """All objects of the template in this scope. Raises TemplateError."""
        return [self.build(values) for values in self.values(scope)]

    def check(self) -> None:
        """Whether every expression is in the language; add-on folders are held to it by tests. Raises TemplateError."""
        from okgen.addons import expression  # a render does not need it

        for _, line, column, text in self._spots:
            try:
                expression.check(text)
            except expression.ExpressionError as error:
                raise TemplateError(f"{self.file}:{line}:{column}: {error}") from None

    def parts(self) -> tuple[Any, ...]:
        """What the template is made of, for ``Template(*parts)``; `marshal` can store it."""
        return self.file, self._part, self._code, self._spots, self.workload


class Names(dict[str, Any]):
    """A mapping whose keys expressions also read as attributes: ``cluster.name``."""

    __getattr__ = dict.__getitem__


def named(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    """A copy of plain data in which every mapping is a Names; what is one already has been made so to the bottom."""
    if isinstance(value, Names):
        return value
    if isinstance(value, dict):
        return Names((key, named(item)) for key, item in value.items())
    return [named(item) for item in value] if isinstance(value, list) else value


def new_scope(names: Mapping[str, Any]) -> dict[str, Any]:
    """The names expressions see: those given and the functions of the language, nothing of Python's own.

    Mappings among the names must be Names, see ``named``.
    """
    return {"__builtins__": {}, **_FUNCTIONS, **names}


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
    is_loop = part[0] == _REPEATED
    whole = compiler.text().removesuffix(",") if is_loop else f"[({compiler.text()})]"
    offset = 0 if is_loop else len("[(")
    spots = [(start + offset, line, column, text) for start, line, column, text in compiler.spots]
    try:
        code = compile(whole, file, "eval")
    except SyntaxError as error:
        place = _spot_at((error.offset or 1) - 1, spots)
        raise TemplateError(f"{file}{place}: not an expression: {error.msg}") from None
    return Template(file, part, code, spots, workload)


class Compiler:
    """Splits a value into its fixed parts and one text with the expressions in it, in the order they are found."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.spots: list[_Spot] = []
        self._pieces: list[str] = []
        self._length = 0

    def text(self) -> str:
        """The expressions, each followed by a comma; those of a conditional mapping in a loop of their own."""
        return "".join(self._pieces)

    def part(self, value: Any, node: Node | None) -> Part:  # noqa: ANN401 - any YAML value
        """The fixed part of a value; its expressions join the text."""
        if isinstance(value, str):
            return self._scalar(value, node) if "${{" in value else (_CONSTANT, value)
        if isinstance(value, dict) and value:
            return self._mapping(value, node)
        if isinstance(value, list) and value:
            return self._sequence(value, node)
        return _CONSTANT, value

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
            return _REPEATED, (_MAPPING, tuple(entries))
        return (_MAPPING, tuple(entries)) if len(self._pieces) > before else (_CONSTANT, value)

    def _sequence(self, value: list[Any], node: Node | None) -> Part:
        children = node.children if node is not None and isinstance(node.children, list) else [None] * len(value)
        before = len(self._pieces)
        items = tuple(self.part(item, child) for item, child in zip(value, children, strict=True))
        return (_SEQUENCE, items) if len(self._pieces) > before else (_CONSTANT, value)

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


def _tell(part: Part) -> None:
    """Tells the writer which parts are the same in all that is built from them."""
    kind, held = part
    if kind == _CONSTANT:
        keep(held)
    elif kind == _MAPPING:
        for _, child in held:
            _tell(child)
    elif kind == _SEQUENCE:
        for child in held:
            _tell(child)
    elif kind == _REPEATED:
        _tell(held)


def _build(part: Part, values: Iterator[Any]) -> Any:  # noqa: ANN401 - any YAML value
    kind, held = part
    if kind == _CONSTANT:
        return held
    if kind == VALUE:
        return next(values)
    if kind == _MAPPING:
        built = {key: _build(child, values) for key, child in held}
        kept = {key: value for key, value in built.items() if value is not OMIT}
        return kept if kept or not built else OMIT
    if kind == _SEQUENCE:
        return _build_sequence(held, values)
    present = next(values)  # a mapping that is the value of a key: there or not
    return _build(held, iter(present[0])) if present else OMIT


def _build_sequence(items: tuple[Part, ...], values: Iterator[Any]) -> Any:  # noqa: ANN401 - a list or OMIT
    built: list[Any] = []
    for child in items:
        kind, held = child
        if kind == _REPEATED:
            for each in next(values):
                built.append(_build(held, iter(each)))  # noqa: PERF401 - `values` moves on with each
        elif kind == VALUE and held:
            built.extend(next(values))
        else:
            built.append(_build(child, values))
    return [value for value in built if value is not OMIT] or OMIT


def _keys_of(name: str, text: str) -> list[str]:
    """The keys behind each occurrence of a name, "" where none is."""
    found = re.findall(rf"""\b{name}\b(?:\.([A-Za-z_]\w*)|\[(["'])([^"']*)\2\])?""", text)
    return [attribute or key for attribute, _, key in found]


def _place(error: BaseException, code: CodeType, spots: list[_Spot]) -> str:
    """:line:column of the expression that raised, from the traceback's last step in the compiled text."""
    trace, column = error.__traceback__, 0
    while trace:
        inner = trace.tb_frame.f_code
        if inner.co_filename == code.co_filename:
            column = list(inner.co_positions())[trace.tb_lasti // 2][2] or column
        trace = trace.tb_next
    return _spot_at(column, spots)


def _spot_at(column: int, spots: list[_Spot]) -> str:
    found = [(line, at) for start, line, at, _ in spots if start <= column]
    return f":{found[-1][0]}:{found[-1][1]}" if found else ""


def _text(value: object) -> str:
    """A value inside a longer string, as YAML would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TypeError(f"{value!r} cannot stand inside a string")


def _digest(text: str) -> str:
    """Tells texts apart without showing them: 8 hexadecimal digits of the SHA-256."""
    return sha256(text.encode()).hexdigest()[:8]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


_FUNCTIONS: dict[str, Any] = {
    **{function.__name__: function for function in (all, any, enumerate, int, len, max, min, range, sorted, str)},
    "_named": named,
    "_text": _text,
    "json": _json,
    "digest": _digest,
    "omit": OMIT,
}
