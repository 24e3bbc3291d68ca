"""Fills templates like a render does, and keeps for each value of what comes out where it stands and what it read."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.addons.compiling import DIRECTIVES, Compiler, compile_template
from okgen.addons.parts import OMIT, VALUE
from okgen.addons.template import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from okgen.addons.parts import Part
    from okgen.provenance.recording import Log, Read
    from okgen.read.source import Node


class Spot(NamedTuple):
    """A scalar or directive of a template, as it is written."""

    file: str
    line: int
    column: int
    text: str


class Guard(NamedTuple):
    """A ``when`` or ``forEach`` a value is under, and what it read; without a spot a condition of okgen's own."""

    spot: Spot | None
    reads: tuple[Read, ...]


class Mark(NamedTuple):
    """A scalar that came out of a template, or out of a value of the scope; ``spot`` is None for the latter."""

    value: Any
    spot: Spot | None
    reads: tuple[Read, ...] = ()
    guards: tuple[Guard, ...] = ()


class MarkedNames(dict[str, Any]):
    """An empty mapping with its mark."""

    mark: Mark


class MarkedList(list[Any]):
    """An empty list with its mark."""

    mark: Mark


def marked(value: Any, mark: Callable[[Any, tuple[Read, ...]], Mark], log: Log) -> Any:  # noqa: ANN401
    """The value with each scalar, and each empty mapping and list in it, marked: ``mark`` gets it and what it read."""
    if isinstance(value, _Item):
        return marked(value.value, lambda each, reads: mark(each, (*value.reads, *reads)), log)
    if isinstance(value, dict):
        keys, reads = log.of(lambda: list(value))
        found: Any = {key: _part_of(value, key, mark, log) for key in keys}
        empty: Any = MarkedNames()
    elif isinstance(value, (list, tuple)):
        indexes, reads = log.of(lambda: range(len(value)))
        found = [_part_of(value, index, mark, log) for index in indexes]
        empty = MarkedList()
    else:
        return mark(value, ())
    if found:
        return found
    empty.mark = mark(value, reads)
    return empty


def _part_of(value: Any, step: Any, mark: Callable[[Any, tuple[Read, ...]], Mark], log: Log) -> Any:  # noqa: ANN401
    part, reads = log.of(lambda: value[step])
    return marked(part, lambda each, further: mark(each, (*reads, *further)), log)


def guarded(value: Any, guard: Guard) -> Any:  # noqa: ANN401 - any marked value
    """The value with each mark in it under a further guard."""
    if isinstance(value, Mark):
        return value._replace(guards=(*value.guards, guard))
    if isinstance(value, dict):
        return {key: guarded(each, guard) for key, each in value.items()}
    return [guarded(each, guard) for each in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    """The value without its marks."""
    if isinstance(value, Mark):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(dict.__getitem__(value, key)) for key in dict.keys(value)}
    return [plain(each) for each in list.__iter__(value)] if isinstance(value, list) else value


def marks(value: Any) -> Iterator[Mark]:  # noqa: ANN401 - any marked value
    """Every mark in a value."""
    if isinstance(value, Mark):
        yield value
    elif isinstance(value, (MarkedNames, MarkedList)):
        yield value.mark
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from marks(each)


class _Item(NamedTuple):
    """An item of a list that an expression makes, and what it alone read."""

    value: Any
    reads: tuple[Read, ...]


class Tracer:
    """Traces the templates of one add-on in a scope whose values note what is read of them in ``log``."""

    def __init__(self, scope: dict[str, Any], log: Log) -> None:
        self._log = log
        self._spots: list[Spot] = []
        self._constants: dict[int, Any] = {}
        self._guards: dict[int, Guard] = {}
        self.absent: dict[Read, None] = {}  # what was read of for things that are not there
        self._scope = scope
        names = (self._mark, self._constant, self._items, self._item, self._guard, self._each)
        self._scope.update({name.__name__: name for name in names})

    def objects(self, value: Any, file: str, node: Node | None) -> list[Any]:  # noqa: ANN401 - any YAML value
        """What a template makes, the scalars in it Marks. Raises TemplateError."""
        compiler = _TracingCompiler(file, self._spots, self._constants)
        return compile_template(value, file, node, compiler).fill(self._scope)

    def _mark(self, number: int, guards: tuple[int, ...], work: Callable[[], tuple[Any]]) -> Any:  # noqa: ANN401
        (value,), reads = self._log.of(work)
        return self._marked(number, guards, value, reads)

    def _constant(self, number: int, guards: tuple[int, ...]) -> Any:  # noqa: ANN401 - any YAML value
        return self._marked(number, guards, self._constants[number], ())

    def _marked(self, number: int, guards: tuple[int, ...], value: Any, reads: tuple[Read, ...]) -> Any:  # noqa: ANN401
        if value is OMIT:
            self.absent.update(dict.fromkeys(reads))
            return OMIT
        spot, under = self._spots[number], tuple(self._guards[each] for each in guards)
        return marked(value, lambda each, further: Mark(each, spot, (*reads, *further), under), self._log)

    def _item(self, work: Callable[[], Any]) -> _Item:
        return _Item(*self._log.of(work))

    def _guard(self, number: int, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - any YAML value
        value, reads = self._log.of(work)
        self._guards[number] = Guard(self._spots[number], reads)
        if not value:
            self.absent.update(dict.fromkeys(reads))
        return value

    def _each(self, number: int, work: Callable[[], Any]) -> Iterator[Any]:
        """The items of a ``forEach``; what is made for one depends on the list, and on that item."""
        value, reads = self._log.of(work)
        count, whole = self._log.of(lambda: len(value))
        self.absent.update(dict.fromkeys((*reads, *whole)))
        for index in range(count):
            item, own = self._log.of(lambda index=index: value[index])  # type: ignore[misc]
            if isinstance(item, _Item):
                item, own = item.value, item.reads
            self._guards[number] = Guard(self._spots[number], (*reads, *whole, *own))
            yield named(item)

    def _items(self, source: Iterable[Any], make: Callable[[Iterator[Any]], Iterator[Any]]) -> list[_Item]:
        """The items of a comprehension, each with what was read from the step of the loop on that led to it."""
        pending: dict[Read, None] = {}
        steps = iter(source)

        def forward() -> Iterator[Any]:
            while True:
                self.absent.update(pending)
                self.absent.update(dict.fromkeys(self._log.restart()))
                pending.clear()
                try:
                    step = next(steps)
                except StopIteration:
                    return
                yield step

        made = make(forward())
        found: list[_Item] = []
        while True:
            item, reads = self._log.of(lambda: next(made, _END))
            pending.update(dict.fromkeys(reads))
            for read in [each for each in pending if each.whole]:
                self._log.note(pending.pop(read) or read)
            if item is _END:
                return found
            found.append(_Item(item, tuple(pending)))


_END = object()


class _TracingCompiler(Compiler):
    """Writes each scalar of a template, those without expressions included, as a call that marks its value."""

    def __init__(self, file: str, spots: list[Spot], constants: dict[int, Any]) -> None:
        super().__init__(file)
        self._seen, self._constants = spots, constants
        self._guards: list[int] = []
        self._split: Callable[[ast.expr], ast.expr] | None = None  # how the next expression is written

    def part(self, value: Any, node: Node | None) -> Part:  # noqa: ANN401 - any YAML value
        """The fixed part of a value, of which only the keys are fixed."""
        if (value and isinstance(value, (dict, list))) or (isinstance(value, str) and "${{" in value):
            return super().part(value, node)
        number = self._spot(value, node)
        self._constants[number] = value
        self._write(f"_constant({number},{tuple(self._guards)}),")
        return VALUE, False

    def _mapping(self, value: dict[str, Any], node: Node | None) -> Part:
        directives = value.get(DIRECTIVES)
        names = [name for name in ("forEach", "when") if name in directives] if isinstance(directives, dict) else []
        for name in names:
            assert isinstance(directives, dict)
            self._guards.append(self._spot(directives[name], _below(_below(node, DIRECTIVES), name)))
        part = super()._mapping(value, node)
        del self._guards[len(self._guards) - len(names) :]
        return part

    def _directive(self, directives: dict[str, Any], name: str, node: Node | None) -> None:
        number = self._guards[-1] if name == "when" or "when" not in directives else self._guards[-2]
        self._write(f"{'_guard' if name == 'when' else '_each'}({number},lambda:")
        self._split = _by_item if name == "forEach" else None
        super()._directive(directives, name, node)
        self._write(")")

    def _scalar(self, value: str, node: Node | None) -> Part:
        self._write(f"_mark({self._spot(value, node)},{tuple(self._guards)},lambda:(")
        self._split = _by_part
        part = super()._scalar(value, node)
        self._write(")),")
        return part

    def _expression(self, text: str, node: Node | None, function: str = "") -> None:
        if self._split and not function:
            text = ast.unparse(self._split(ast.parse(" ".join(text.splitlines()).strip(), mode="eval").body))
        self._split = None
        super()._expression(text, node, function)

    def _spot(self, value: Any, node: Node | None) -> int:  # noqa: ANN401 - any YAML value
        line, column = (node.line, node.column) if node else (1, 1)
        self._seen.append(Spot(self.file, line, column, value if isinstance(value, str) else json.dumps(value)))
        return len(self._seen) - 1


def _below(node: Node | None, key: str) -> Node | None:
    found = node.children.get(key) if node is not None and isinstance(node.children, dict) else None
    return found[2] if found else node


def _by_part(node: ast.expr) -> ast.expr:
    """An expression written such that each part of the mapping or list it gives can be told from the others."""
    if isinstance(node, ast.IfExp):
        return ast.IfExp(node.test, _by_part(node.body), _by_part(node.orelse))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return ast.BinOp(_by_part(node.left), node.op, _by_part(node.right))
    if isinstance(node, ast.Dict) and all(node.keys):
        return ast.Dict(node.keys, [_apart(each) for each in node.values])
    if isinstance(node, ast.List) and not any(isinstance(each, ast.Starred) for each in node.elts):
        return ast.List([_apart(each) for each in node.elts], ast.Load())
    return _by_item(node)


def _apart(node: ast.expr) -> ast.expr:
    none = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Call(ast.Name("_item", ast.Load()), [ast.Lambda(none, _by_part(node))], [])


def _by_item(node: ast.expr) -> ast.expr:
    """A comprehension written such that each item can be told from the others."""
    if not isinstance(node, ast.ListComp):
        return node
    first, *others = node.generators
    steps = ast.comprehension(first.target, ast.Name("_steps", ast.Load()), first.ifs, 0)
    made = ast.GeneratorExp(node.elt, [steps, *others])
    taken = ast.arguments(posonlyargs=[], args=[ast.arg("_steps")], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.Call(ast.Name("_items", ast.Load()), [first.iter, ast.Lambda(taken, made)], [])
