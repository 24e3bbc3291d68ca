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

from okgen.addons.parts import OMIT, REPEATED, Part, build, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CodeType


class TemplateError(Exception):
    """A fault in an add-on folder, never in a user's input. The message starts with file:line:column."""


Spot = tuple[int, int, int, str]  # where an expression starts in the compiled text, its line, column and text


class Template:
    """A compiled template. ``workload`` names the workload whose Deployment this is, or is empty."""

    __slots__ = ("_code", "_is_told", "_part", "_spots", "file", "workload")

    def __init__(self, file: str, part: Part, code: CodeType, spots: list[Spot], workload: str) -> None:
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
            tell(self._part)
        kind, body = self._part
        return build(body if kind == REPEATED else self._part, iter(values))

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


def _keys_of(name: str, text: str) -> list[str]:
    """The keys behind each occurrence of a name, "" where none is."""
    found = re.findall(rf"""\b{name}\b(?:\.([A-Za-z_]\w*)|\[(["'])([^"']*)\2\])?""", text)
    return [attribute or key for attribute, _, key in found]


def _place(error: BaseException, code: CodeType, spots: list[Spot]) -> str:
    """:line:column of the expression that raised, from the traceback's last step in the compiled text."""
    trace, column = error.__traceback__, 0
    while trace:
        inner = trace.tb_frame.f_code
        if inner.co_filename == code.co_filename:
            column = list(inner.co_positions())[trace.tb_lasti // 2][2] or column
        trace = trace.tb_next
    return spot_at(column, spots)


def spot_at(column: int, spots: list[Spot]) -> str:
    """:line:column of the expression at this place of the compiled text, "" for none."""
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
