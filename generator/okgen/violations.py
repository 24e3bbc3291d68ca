"""Explains why a document does not fit the schema, one problem for one mistake. Only imported when there is one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import jsonschema
from jsonschema.protocols import Validator

from okgen.problem import Path, Problem, dotted
from okgen.schema import Schema, follow, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jsonschema.exceptions import ValidationError

    from okgen.source import Document

_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing",
    "number": "a number",
    "object": "a mapping",
    "string": "a string",
}
_SHOWN = 60  # characters of a value that a message quotes


def find(document: Document, schema: Schema) -> list[Problem]:
    """Every violation in the document, each at its place."""
    validator = _validator_class()(schema)
    worst: dict[Path, ValidationError] = {}
    problems: list[Problem] = []
    for error in validator.iter_errors(document.data):
        path: Path = tuple(error.absolute_path)
        if error.validator in ("additionalProperties", "required", "propertyNames"):
            problems += _explain(error, path, document, schema)
        elif path not in worst or error.validator == "type":  # a wrong type explains whatever else is wrong there
            worst[path] = error
    for path, error in worst.items():
        problems += _explain(error, path, document, schema)
    return problems


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


def _validator_class() -> type[Validator]:
    def pattern(_validator: Any, wanted: str, value: Any, _schema: Schema) -> Iterator[Any]:  # noqa: ANN401
        if isinstance(value, str) and not matches(wanted, value):
            yield jsonschema.ValidationError(f"{value!r} does not match {wanted!r}")

    cls: type[Validator] = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": pattern})
    return cls


def _explain(error: ValidationError, path: Path, document: Document, root: Schema) -> Iterator[Problem]:
    schema: Schema = follow(error.schema, root)
    if error.validator == "additionalProperties":
        yield from _unknown_keys(error.instance, schema, path, document)
    elif error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        # jsonschema reports each missing key by itself and does not say which: its message starts with the key.
        yield from (
            _missing(key, schema, path, document, root) for key in missing if error.message.startswith(repr(key))
        )
    elif error.validator == "propertyNames":
        key = error.instance
        hint = (error.parent or error).schema.get("x-pattern-hint", "") if error.parent else schema.get("x-pattern-hint")
        help_text = f"expected {hint}" if hint else ""
        yield document.problem("OKG205", (*path, key), f"{_quoted(key)} is not a valid name here", help_text, key=True)
    else:
        code, message, help_text = _EXPLAINED.get(error.validator, _other)(error, schema, document, path)
        yield document.problem(code, path, message, help_text)


def _unknown_keys(value: dict[str, Any], schema: Schema, path: Path, document: Document) -> Iterator[Problem]:
    known = schema.get("properties", {})
    for key in value:
        if key not in known:
            where = dotted(path) or "the file"
            what = "add-on" if path == ("addons",) else "key"
            help_text = suggestion(key, known, f"{what}s of {where}" if what == "key" else "add-ons")
            yield document.problem("OKG201", (*path, key), f"unknown {what} {_quoted(key)}", help_text, key=True)


def _missing(key: str, schema: Schema, path: Path, document: Document, root: Schema) -> Problem:
    expected = follow(schema.get("properties", {}).get(key, {}), root)
    examples = expected.get("examples") or [expected.get("const", "")]
    shown = examples[0] if isinstance(examples[0], str) else ""
    quoted = f'"{shown}"' if shown and not shown[0].isalpha() else shown
    help_text = f"for example {key}: {quoted}" if shown else expected.get("description", "")
    where = f" in {dotted(path)}" if path else ""
    return document.problem("OKG202", (*path, key), f"missing key {_quoted(key)}{where}", help_text, key=True)


def _type(error: ValidationError, schema: Schema, document: Document, path: Path) -> tuple[str, str, str]:
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    expected = " or ".join(_NAMES[name] for name in wanted if name != "null")
    found = _found(error.instance, document, path)
    help_text = schema.get("x-type-hint", "")
    if not help_text and "string" in wanted and isinstance(error.instance, (int, float)):
        help_text = "write it in quotes"
    elif help_text and isinstance(error.instance, (int, float)):
        help_text += f'; write "{_written(document, path) or error.instance}"'
    return "OKG203", f"expected {expected}, found {found}", help_text


def _enum(error: ValidationError, schema: Schema, _document: Document, _path: Path) -> tuple[str, str, str]:
    options = [str(each) for each in error.validator_value]
    near = closest(str(error.instance), options)
    listed = ", ".join(options)
    help_text = f"did you mean {near}? It is one of: {listed}" if near and len(options) > 1 else f"one of: {listed}"
    return "OKG204", f"{_quoted(error.instance)} is not a value this key takes", help_text


def _const(error: ValidationError, _schema: Schema, _document: Document, _path: Path) -> tuple[str, str, str]:
    return "OKG204", f"{_quoted(error.instance)} is not a value this key takes", f"write {error.validator_value}"


def _pattern(error: ValidationError, schema: Schema, _document: Document, _path: Path) -> tuple[str, str, str]:
    hint = schema.get("x-pattern-hint", f"text that matches {error.validator_value}")
    return "OKG205", f"{_quoted(error.instance)} is not valid here", f"expected {hint}"


def _bound(error: ValidationError, schema: Schema, _document: Document, _path: Path) -> tuple[str, str, str]:
    message, unit = _BOUNDS[str(error.validator)]
    shown = _quoted(error.instance) if isinstance(error.instance, str) else f"{error.instance}"
    if isinstance(error.instance, (list, dict)):
        shown = f"{len(error.instance)} entries"
    hint = schema.get("x-bound-hint", "")
    return "OKG206", f"{shown} is {message} {error.validator_value}{unit}", hint


def _unique(_error: ValidationError, _schema: Schema, _document: Document, _path: Path) -> tuple[str, str, str]:
    return "OKG207", "the list holds an entry twice", "remove one of them"


def _other(error: ValidationError, _schema: Schema, _document: Document, _path: Path) -> tuple[str, str, str]:
    return "OKG208", f"not valid here: {error.validator}", str(error.schema.get("description", ""))


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
_EXPLAINED: dict[Any, Callable[[ValidationError, Schema, Document, Path], tuple[str, str, str]]] = {
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
        return f"the number {_written(document, path) or value}"
    if isinstance(value, str):
        return f"the string {_quoted(value)}"
    return "a list" if isinstance(value, list) else "a mapping"


def _written(document: Document, path: Path) -> str:
    """A plain scalar as it stands in the file: 1.30 rather than 1.3."""
    line, column = document.place(path)
    rest = document.text.splitlines()[line - 1][column - 1 :] if document.text else ""
    word = rest.split("#")[0].replace(",", " ").replace("}", " ").replace("]", " ").split()
    return word[0] if word else ""
