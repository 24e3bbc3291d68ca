"""Explains why a document does not fit the schema, one problem for one mistake. Only imported when there is one."""

from __future__ import annotations

import difflib
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema

from okgen.judge.conforms import matches
from okgen.judge.schema import Schema, follow
from okgen.problem import Path, Problem, dotted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from okgen.read.source import Document

_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "a string",
}
_UNKNOWN, _MISSING = "OKG201", "OKG202"
_SHOWN = 60  # characters of a value that a message quotes
_MOST_PROBLEMS = 100  # as when reading: who has as many mends them in several goes
# What looks into a list or mapping, and the bound beyond which its number of entries is the only thing said of it.
_BOUNDED = {
    **dict.fromkeys(("items", "uniqueItems"), "maxItems"),
    **dict.fromkeys(("additionalProperties", "properties", "propertyNames"), "maxProperties"),
}


class _Violation(NamedTuple):
    """What jsonschema found: the keyword that does not hold, what it wants, and the value it judged."""

    path: Path
    keyword: str
    wanted: Any
    value: Any
    schema: Schema
    message: str
    is_name: bool


def find(document: Document, schema: Schema) -> list[Problem]:
    """Every violation in the document, each at its place; of very many the first hundred that are found."""
    worst: dict[Path, _Violation] = {}
    problems: list[Problem] = []
    for error in islice(_validator(schema).iter_errors(document.data), _MOST_PROBLEMS):
        found = _Violation(
            path=tuple(error.absolute_path),
            keyword=str(error.validator),
            wanted=error.validator_value,
            value=error.instance,
            schema=follow(dict(error.schema), schema),
            message=error.message,
            # Where a name is judged, the schema around it tells what names are for.
            is_name="propertyNames" in error.absolute_schema_path,
        )
        if found.is_name or found.keyword in ("additionalProperties", "required"):
            problems += islice(_explain(found, document, schema), _MOST_PROBLEMS - len(problems))
        elif found.path not in worst or found.keyword == "type":  # a wrong type explains whatever else is wrong there
            worst[found.path] = found
    for found in worst.values():
        problems += islice(_explain(found, document, schema), _MOST_PROBLEMS - len(problems))
    return _without_echoes(problems)


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """A required key that is misspelt is both unknown and missing; only the misspelling is the mistake."""
    unknown = [_parent_and_key(problem.path) for problem in problems if problem.code == _UNKNOWN]
    echoes = {
        (parent, closest(key, [missing for other, missing in _missing_keys(problems) if other == parent]))
        for parent, key in unknown
    }
    return [each for each in problems if each.code != _MISSING or _parent_and_key(each.path) not in echoes]


def _missing_keys(problems: list[Problem]) -> list[tuple[str, str]]:
    return [_parent_and_key(problem.path) for problem in problems if problem.code == _MISSING]


def _parent_and_key(path: str) -> tuple[str, str]:
    parent, _, key = path.rpartition(".")
    return parent, key


def closest(name: str, known: Iterable[str]) -> str:
    """What was probably meant, or an empty string."""
    folded = {each.lower().replace("-", "").replace("_", ""): each for each in known}
    found = difflib.get_close_matches(name.lower().replace("-", "").replace("_", ""), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def suggestion(name: str, known: Iterable[str], what: str) -> str:
    """A help line: what was probably meant, else all there is."""
    listed = sorted(known)
    near = closest(name, listed)
    if near:
        return f"did you mean {near}?"
    return f"{what}: {', '.join(listed)}" if listed else f"there are no {what}"


def _validator(schema: Schema) -> jsonschema.Draft202012Validator:
    def pattern(_validator: Any, wanted: str, value: Any, _schema: Schema) -> Iterator[Any]:  # noqa: ANN401
        if isinstance(value, str) and not matches(wanted, value):
            yield jsonschema.ValidationError(f"{value!r} does not match {wanted!r}")

    extend: Any = jsonschema.validators.extend
    judges = {"pattern": pattern, **{keyword: _bounded(keyword) for keyword in _BOUNDED}}
    validator: jsonschema.Draft202012Validator = extend(jsonschema.Draft202012Validator, judges)(schema)
    return validator


def _bounded(keyword: str) -> Callable[[Any, Any, Any, Schema], Iterator[Any]]:
    """Jsonschema's judgement by a keyword, without work for what is too large: it compares items pair by pair."""
    known: Any = jsonschema.Draft202012Validator.VALIDATORS[keyword]

    def judge(validator: Any, wanted: Any, value: Any, schema: Schema) -> Iterator[Any]:  # noqa: ANN401
        if not isinstance(value, (dict, list)) or len(value) <= schema.get(_BOUNDED[keyword], len(value)):
            yield from known(validator, wanted, value, schema) or ()

    return judge


def _explain(found: _Violation, document: Document, root: Schema) -> Iterator[Problem]:
    if found.is_name:
        hint = found.schema.get("x-pattern-hint", "")
        help_text = f"expected {hint}" if hint else ""
        message = f"{_quoted(found.value)} is not a valid name here"
        yield document.problem("OKG205", (*found.path, found.value), message, help_text, key=True)
    elif found.keyword == "additionalProperties":
        yield from _unknown_keys(found.value, found.schema, found.path, document)
    elif found.keyword == "required":
        # One error for each missing key, which does not say which: its message starts with the key.
        missing = [key for key in found.wanted if found.message.startswith(repr(key))]
        yield from (_missing(key, found.schema, found.path, document, root) for key in missing)
    else:
        code, message, help_text = _EXPLAINED.get(found.keyword, _other)(found, document)
        yield document.problem(code, found.path, message, help_text)


def _unknown_keys(value: dict[str, Any], schema: Schema, path: Path, document: Document) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for key in value:
        if key not in known:
            where = dotted(path) or "the file"
            what = "add-on" if path == ("addons",) else "key"
            help_text = suggestion(key, known, f"{what}s of {where}" if what == "key" else "add-ons")
            yield document.problem(_UNKNOWN, (*path, key), f"unknown {what} {_quoted(key)}", help_text, key=True)


def _missing(key: str, schema: Schema, path: Path, document: Document, root: Schema) -> Problem:
    expected = follow(schema.get("properties", {}).get(key, {}), root)
    examples = expected.get("examples") or [expected.get("const", "")]
    shown = examples[0] if isinstance(examples[0], str) else ""
    quoted = f'"{shown}"' if shown and not shown[0].isalpha() else shown
    help_text = f"for example {key}: {quoted}" if shown else expected.get("description", "")
    where = f" in {dotted(path)}" if path else ""
    return document.problem(_MISSING, (*path, key), f"missing key {_quoted(key)}{where}", help_text, key=True)


def _type(found: _Violation, document: Document) -> tuple[str, str, str]:
    wanted = found.wanted if isinstance(found.wanted, list) else [found.wanted]
    expected = " or ".join(_NAMES[name] for name in wanted if name != "null")
    help_text = found.schema.get("x-type-hint", "")
    if found.value is None and not help_text:
        help_text = "put its content below, or remove the key"
    is_number = isinstance(found.value, (int, float)) and not isinstance(found.value, bool)
    if help_text and is_number:
        help_text += f'; write "{document.written(found.path)}"'
    elif is_number and "string" in wanted:
        help_text = f'write it in quotes: "{document.written(found.path)}"'
    return "OKG203", f"expected {expected}, found {_found(found.value, document, found.path)}", help_text


def _enum(found: _Violation, _document: Document) -> tuple[str, str, str]:
    options = [str(each) for each in found.wanted]
    near = closest(str(found.value), options)
    listed = f"one of: {', '.join(options)}"
    help_text = f"did you mean {near}? It is {listed}" if near and len(options) > 1 else listed
    return "OKG204", f"{_quoted(found.value)} is not a value this key takes", help_text


def _const(found: _Violation, _document: Document) -> tuple[str, str, str]:
    return "OKG204", f"{_quoted(found.value)} is not a value this key takes", f"write {found.wanted}"


def _pattern(found: _Violation, _document: Document) -> tuple[str, str, str]:
    if str(found.value).startswith("<") and str(found.value).endswith(">"):
        return "OKG205", f"{_quoted(found.value)} is still to be filled in", _expected(found)
    return "OKG205", f"{_quoted(found.value)} is not valid here", _expected(found)


def _expected(found: _Violation) -> str:
    return f"expected {found.schema.get('x-pattern-hint', f'text that matches {found.wanted}')}"


def _bound(found: _Violation, _document: Document) -> tuple[str, str, str]:
    message, unit = _BOUNDS[found.keyword]
    shown = _quoted(found.value) if isinstance(found.value, str) else f"{found.value}"
    if isinstance(found.value, (list, dict)):
        shown = f"{len(found.value)} entries" if found.value else "nothing"
    return "OKG206", f"{shown} is {message} {found.wanted}{unit}", found.schema.get("description", "")


def _unique(_found: _Violation, _document: Document) -> tuple[str, str, str]:
    return "OKG207", "the list holds an entry twice", "remove one of them"


def _other(found: _Violation, _document: Document) -> tuple[str, str, str]:
    return "OKG208", f"not valid here: {found.keyword}", found.schema.get("description", "")


_BOUNDS = {
    "maximum": ("more than the maximum of", ""),
    "minimum": ("less than the minimum of", ""),
    "maxItems": ("more than", ""),
    "minItems": ("fewer than", ""),
    "maxLength": ("longer than", " characters"),
    "minLength": ("shorter than", " characters"),
    "maxProperties": ("more than", ""),
    "minProperties": ("fewer than", ""),
}
_EXPLAINED: dict[str, Callable[[_Violation, Document], tuple[str, str, str]]] = {
    "const": _const,
    "enum": _enum,
    "pattern": _pattern,
    "type": _type,
    "uniqueItems": _unique,
    **dict.fromkeys(_BOUNDS, _bound),
}


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return f'"{text if len(text) <= _SHOWN else text[:_SHOWN] + "…"}"'


def _found(value: object, document: Document, path: Path) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {document.written(path)}"
    if isinstance(value, str):
        return f"the string {_quoted(value)}"
    return "a list" if isinstance(value, list) else "a mapping"
