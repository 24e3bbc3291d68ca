"""Templates: YAML that is parsed first and then filled, so that no value can change the structure around it.

A scalar may hold ``${{ expression }}``; README "Templates" in ``overlays/`` lists the language. A template is compiled
into one Python expression that yields all its values at once. They are the template's whole dependence on a cluster,
so what was built from them can be kept for the next cluster with the same values.
"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen import expression

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType

    from okgen.source import Node

_HOLE = re.compile(r"\$\{\{((?:(?!\}\}).)*)\}\}", re.DOTALL)
DIRECTIVES = "okgen"  # the key of a mapping that holds `when`, `forEach` and `workload`


class TemplateError(Exception):
    """A fault in an add-on folder, never in a user's input. The message starts with file:line:column."""


class _Omit:
    """Stands for a value that is to be left out together with its key or list item."""

    def __repr__(self) -> str:
        return "omit"


OMIT = _Omit()


class _Constant(NamedTuple):
    value: Any


class _Value(NamedTuple):
    """One expression; ``splice`` puts the items of its list into the list around it."""

    splice: bool


class _Mapping(NamedTuple):
    entries: tuple[tuple[str, _Part], ...]


class _Sequence(NamedTuple):
    items: tuple[_Part, ...]


class _Repeated(NamedTuple):
    """A mapping under ``when`` or ``forEach``: present once for each tuple of values."""

    body: _Mapping


_Part = _Constant | _Value | _Mapping | _Sequence | _Repeated


class Template:
    """A compiled template. ``workload`` names the workload whose Deployment this is, or is empty."""

    __slots__ = ("_code", "_part", "file", "workload")

    def __init__(self, file: str, part: _Part, code: CodeType, workload: str) -> None:
        self.file, self._part, self._code, self.workload = file, part, code, workload

    def values(self, scope: dict[str, Any]) -> list[tuple[Any, ...]]:
        """The values of the template's expressions, one tuple for each object it makes. Raises TemplateError."""
        try:
            found: list[tuple[Any, ...]] = eval(self._code, scope)  # noqa: S307 - compiled from a checked tree
        except Exception as error:
            raise TemplateError(f"{_place(error, self.file)}: {type(error).__name__}: {error}") from error
        return found

    def build(self, values: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any YAML value
        """The object that one tuple of values makes; parts without expressions are shared, so it is read-only."""
        part = self._part
        return _build(part.body if isinstance(part, _Repeated) else part, iter(values))

    def fill(self, scope: dict[str, Any]) -> list[Any]:
        """All objects of the template in this scope. Raises TemplateError."""
        return [self.build(values) for values in self.values(scope)]


def new_scope(names: Mapping[str, Any]) -> dict[str, Any]:
    """The names expressions see: those given and the functions of the language, nothing of Python's own."""
    return {"__builtins__": {}, **_FUNCTIONS, **names}


def compile_template(value: Any, file: str, node: Node | None = None) -> Template:  # noqa: ANN401 - any YAML value
    """Compile parsed YAML; ``node`` holds its places. Raises TemplateError."""
    compiler = _Compiler(file)
    workload = ""
    if isinstance(value, dict) and isinstance(value.get(DIRECTIVES), dict):
        directives = dict(value[DIRECTIVES])
        workload = directives.pop("workload", "")
        value = {**value, DIRECTIVES: directives}
    part, holes = compiler.part(value, node)
    if isinstance(part, _Repeated):
        tree = holes[0]
    else:
        tree = ast.List([ast.Tuple(holes, ast.Load())], ast.Load())
    code = compile(ast.fix_missing_locations(ast.Expression(tree)), file, "eval")
    return Template(file, part, code, workload)


def is_template(value: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Whether there is an expression anywhere in a value."""
    if isinstance(value, str):
        return "${{" in value
    if isinstance(value, dict):
        return DIRECTIVES in value or any(map(is_template, value.values()))
    return isinstance(value, list) and any(map(is_template, value))


class _Compiler:
    """Splits a value into its fixed parts and the expressions in them."""

    def __init__(self, file: str) -> None:
        self.file = file

    def part(self, value: Any, node: Node | None) -> tuple[_Part, list[ast.expr]]:  # noqa: ANN401
        if isinstance(value, str):
            return self._scalar(value, node) if "${{" in value else (_Constant(value), [])
        if isinstance(value, dict) and value:
            return self._mapping(value, node)
        if isinstance(value, list) and value:
            return self._sequence(value, node)
        return _Constant(value), []

    def _mapping(self, value: dict[str, Any], node: Node | None) -> tuple[_Part, list[ast.expr]]:
        children = node.children if node is not None and isinstance(node.children, dict) else {}
        entries, holes = [], []
        for key, item in value.items():
            if key == DIRECTIVES:
                continue
            child = children.get(key)
            part, inner = self.part(item, child[2] if child else None)
            entries.append((key, part))
            holes += inner
        if DIRECTIVES in value:
            child = children.get(DIRECTIVES)
            return self._repeated(_Mapping(tuple(entries)), holes, value[DIRECTIVES], child[2] if child else node)
        return (_Mapping(tuple(entries)), holes) if holes else (_Constant(value), [])

    def _sequence(self, value: list[Any], node: Node | None) -> tuple[_Part, list[ast.expr]]:
        children = node.children if node is not None and isinstance(node.children, list) else [None] * len(value)
        items, holes = [], []
        for item, child in zip(value, children, strict=True):
            part, inner = self.part(item, child)
            items.append(part)
            holes += inner
        return (_Sequence(tuple(items)), holes) if holes else (_Constant(value), [])

    def _repeated(
        self,
        body: _Mapping,
        holes: list[ast.expr],
        directives: Any,
        node: Node | None,  # noqa: ANN401
    ) -> tuple[_Part, list[ast.expr]]:
        if not isinstance(directives, dict) or directives.keys() - {"when", "forEach"}:
            raise self._error("`okgen` takes `when` and `forEach`", node)
        when = self._directive(directives.get("when", True), node)
        if "forEach" in directives:
            each, names = self._directive(directives["forEach"], node), ("index", "item")
        else:
            # A loop of one turn, under names that leave the `item` and `index` of a `forEach` around it visible.
            each, names = ast.List([ast.Constant(None)], ast.Load()), ("_", "_")
        target = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
        count = ast.Call(ast.Name("enumerate", ast.Load()), [each], [])
        loop = ast.comprehension(target, count, [when], 0)
        return _Repeated(body), [ast.ListComp(ast.Tuple(holes, ast.Load()), [loop])]

    def _directive(self, value: Any, node: Node | None) -> ast.expr:  # noqa: ANN401 - any YAML value
        if not isinstance(value, str):
            return ast.Constant(value)
        found = _HOLE.fullmatch(value.strip())
        if not found:
            raise self._error(f"expected one ${{{{ expression }}}}: {value}", node)
        return self._expression(found[1], node)

    def _scalar(self, value: str, node: Node | None) -> tuple[_Part, list[ast.expr]]:
        whole = _HOLE.fullmatch(value.strip())
        if whole:
            text = whole[1].strip()
            splice = text.startswith("*")
            return _Value(splice), [self._expression(text[1:] if splice else text, node)]
        pieces = _HOLE.split(value)
        if "${{" in "".join(pieces[::2]):
            raise self._error(f"an expression is not closed: {value}", node)
        parts = [
            self._text(piece, node) if number % 2 else ast.Constant(piece) for number, piece in enumerate(pieces)
        ]
        joined = ast.Call(ast.Attribute(ast.Constant(""), "join", ast.Load()), [ast.Tuple(parts, ast.Load())], [])
        return _Value(splice=False), [joined]

    def _text(self, text: str, node: Node | None) -> ast.expr:
        found = self._expression(text, node)
        return ast.copy_location(ast.Call(ast.Name("_text", ast.Load()), [found], []), found)

    def _expression(self, text: str, node: Node | None) -> ast.expr:
        try:
            return expression.parse(text, *((node.line, node.column) if node else (1, 1)))
        except expression.ExpressionError as error:
            raise self._error(str(error), node) from None

    def _error(self, message: str, node: Node | None) -> TemplateError:
        place = f":{node.line}:{node.column}" if node else ""
        return TemplateError(f"{self.file}{place}: {message}")


def _build(part: _Part, values: Iterator[Any]) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(part, _Constant):
        return part.value
    if isinstance(part, _Value):
        return next(values)
    if isinstance(part, _Mapping):
        return _build_mapping(part, values)
    if isinstance(part, _Sequence):
        return _build_sequence(part, values)
    present = next(values)  # a mapping that is the value of a key: there or not
    return _build(part.body, iter(present[0])) if present else OMIT


def _build_mapping(part: _Mapping, values: Iterator[Any]) -> Any:  # noqa: ANN401 - a mapping or OMIT
    built = {key: _build(child, values) for key, child in part.entries}
    kept = {key: value for key, value in built.items() if value is not OMIT}
    return kept if kept or not built else OMIT


def _build_sequence(part: _Sequence, values: Iterator[Any]) -> Any:  # noqa: ANN401 - a list or OMIT
    built: list[Any] = []
    for child in part.items:
        if isinstance(child, _Repeated):
            built.extend(_build(child.body, iter(each)) for each in next(values))
        elif isinstance(child, _Value) and child.splice:
            built.extend(next(values))
        else:
            built.append(_build(child, values))
    kept = [value for value in built if value is not OMIT]
    return kept or OMIT


def _place(error: BaseException, file: str) -> str:
    """file:line:column of the expression that raised, from the traceback's last frame in the template."""
    trace, line, column = error.__traceback__, 1, 1
    while trace:
        code = trace.tb_frame.f_code
        if code.co_filename == file:
            positions = list(code.co_positions())[trace.tb_lasti // 2]
            line, column = positions[0] or line, (positions[2] or 0) + 1
        trace = trace.tb_next
    return f"{file}:{line}:{column}"


def _text(value: object) -> str:
    """A value inside a longer string, as YAML would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TypeError(f"{value!r} cannot stand inside a string")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


_FUNCTIONS: dict[str, Any] = {
    **{function.__name__: function for function in (all, any, enumerate, int, len, max, min, range, sorted, str)},
    "_text": _text,
    "json": _json,
    "omit": OMIT,
}
