"""An answer to a question about a field, as text and as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.problem import Unable, dotted
from okgen.provenance import fields, lines
from okgen.provenance.cause import ABSENT, DEFAULT, DERIVED, GIVEN, OKGEN, PATCH, RELEASE, TEMPLATE, Cause, ends
from okgen.provenance.tree import DIGEST_PATH
from okgen.text import harmless, shown
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.problem import Path
    from okgen.provenance.asked import Question


_MOST = 30  # causes in one place of a chain that are shown with chains of their own
_WORDS = {
    GIVEN: "{path}: {text}",
    ABSENT: "{path} is not given",
    DEFAULT: "default of {path}: {text}",
    DERIVED: "{path}: {text}",
    RELEASE: "fact of the version, {path}: {text}",
    TEMPLATE: "template: {text}",
    PATCH: "{text}",
    OKGEN: "{text}",
}


class Field(NamedTuple):
    """A field of a file, which is named relative to the current folder; ``follows``: it is a digest of others."""

    file: str
    line: int
    path: Path
    value: Any
    follows: bool = False


class Answer(NamedTuple):
    """What a field comes from, or, for one of cluster.yaml, the fields of the tree that it reaches, by file.

    ``whole`` names the files of which every field is reached.
    """

    field: Field
    causes: list[Cause]
    reached: dict[str, list[Field]]
    whole: frozenset[str] = frozenset()


def answers(question: Question) -> list[Answer]:
    """The answer for each field asked about. Raises Unable for one that is not rendered."""
    return [_causes(question, path) if question.file else _reached(question, path) for path in question.paths]


def _causes(question: Question, path: Path) -> Answer:
    provenance = question.provenance
    try:
        value = fields.at(provenance.data(question.file), path)
    except (LookupError, TypeError):
        message = f"{question.shown}: {dotted(path)} stands in the file but is not rendered; see okgen check"
        raise Unable(harmless(message)) from None
    return Answer(
        Field(question.shown, question.line_of(path), path, value), provenance.causes(question.file, path), {}
    )


def _reached(question: Question, path: Path) -> Answer:
    document, folder = question.rendered.document, os.path.relpath(question.rendered.place.folder)
    found: dict[str, list[Field]] = {}
    whole = set()
    for file, leaves in question.provenance.reached(path).items():
        name = os.path.join(folder, file)
        data, places = question.provenance.data(file), fields.parsed(file, question.provenance.text(file))
        lines_of = [lines.line_of(places, leaf) if places else int(leaf[0]) + 1 for leaf in leaves]
        found[name] = [
            Field(name, line, leaf, fields.at(data, leaf), leaf == DIGEST_PATH or file == index.NAME)
            for line, leaf in zip(lines_of, leaves, strict=True)
        ]
        if len(leaves) == sum(1 for _ in fields.leaves(data)):
            whole.add(name)
    try:
        value = fields.at(document.data, path)
    except (LookupError, TypeError):
        value = fields.at(question.provenance.values, path)
    return Answer(Field(document.file, lines.line_of(document, path), path, value), [], found, frozenset(whole))


def as_json(found: Iterable[Answer]) -> dict[str, Any]:
    """One object; docs/why.md describes it."""
    return {"version": 1, "answers": [_answer(each) for each in found]}


def _answer(answer: Answer) -> dict[str, Any]:
    if not answer.causes:
        files = [
            {"file": file, "whole": file in answer.whole, "fields": [_field(each) for each in reached]}
            for file, reached in answer.reached.items()
        ]
        return {"field": _field(answer.field), "reaches": files}
    return {"field": _field(answer.field), "causes": [_cause(each) for each in answer.causes]}


def _field(field: Field) -> dict[str, Any]:
    found = {"file": field.file, "line": field.line, "path": dotted(field.path), "value": field.value}
    return {**found, "follows": True} if field.follows else found


def _cause(cause: Cause) -> dict[str, Any]:
    place = {"kind": cause.kind, "file": cause.file, "line": cause.line, "column": cause.column}
    said = {"path": dotted(cause.path), "text": cause.text, "condition": cause.is_condition}
    return {**place, **said, "causes": [_cause(each) for each in cause.below]}


def as_text(found: Iterable[Answer]) -> Iterator[str]:
    """The lines for people, without what could steer a terminal."""
    for number, each in enumerate(found):
        if number:
            yield ""
        yield from map(harmless, _chains(each) if each.causes else _reaching(each))


def _head(field: Field) -> str:
    inside = sum(1 for _ in fields.leaves(field.value)) if isinstance(field.value, (dict, list)) and field.value else 0
    value = f"({inside} {'value' if inside == 1 else 'values'})" if inside else _said(field.value)
    return f"{field.file}:{field.line}  {_named(field)}{value}"


def _chains(answer: Answer) -> Iterator[str]:
    yield _head(answer.field)
    if isinstance(answer.field.value, (dict, list)) and answer.field.value:
        yield from _summary(answer.causes, "  ")
        return
    for each in answer.causes:
        if not each.is_condition:
            yield from _chain(each, "  ")
    conditions = [each for each in answer.causes if each.is_condition]
    if conditions:
        yield "  it is there because of"
    for each in conditions:
        yield from _chain(each, "    ")


def _chain(cause: Cause, indent: str) -> Iterator[str]:
    place = cause.file if cause.kind in (OKGEN, PATCH) else f"{cause.file}:{cause.line}:{cause.column}"
    yield f"{indent}{place}  {_what(cause)}"
    if cause.note:
        yield f"{indent}  = {cause.note.partition('. ')[0].rstrip('.')}"
    if len(cause.below) > _MOST:
        yield from _summary(cause.below, f"{indent}  ")
        return
    for each in cause.below:
        yield from _chain(each, f"{indent}  ")


def _summary(causes: Iterable[Cause], indent: str) -> Iterator[str]:
    """Where many chains end, what cluster.yaml says first, without what is the same for every cluster."""
    found = ends(causes)
    for kinds in ((GIVEN,), (ABSENT, DEFAULT, RELEASE, DERIVED, PATCH)):
        for each in found:
            if each.kind in kinds:
                yield f"{indent}{each.file}:{each.line}:{each.column}  {_what(each)}"
    constants = sum(each.kind in (TEMPLATE, OKGEN) for each in found)
    if constants:
        yield f"{indent}and {constants} constants of templates and of okgen's code"


def _what(cause: Cause) -> str:
    """What a cause has to do with what it stands under."""
    text = " ".join(cause.text.split())
    is_expression = cause.kind in (TEMPLATE, DERIVED) or "${{" in text
    return _WORDS[cause.kind].format(path=dotted(cause.path), text=text if is_expression else shown(text))


def _reaching(answer: Answer) -> Iterator[str]:
    yield _head(answer.field)
    direct = {file: found for file, found in answer.reached.items() if not all(each.follows for each in found)}
    if not direct:
        yield "  reaches nothing that is rendered"
    for folder, files in _folders(direct).items():
        if len(files) > 1 and set(files) <= answer.whole:
            yield f"  {folder}/"
            yield f"    all {len(files)} files"
        else:
            for file in files:
                yield f"  {file}"
                yield from _lines(direct[file], is_whole=file in answer.whole)
    followers = [each for found in answer.reached.values() for each in found if each.follows]
    places = dict.fromkeys(
        f"{each.file}:{each.line}" if not each.file.endswith(index.NAME) else each.file for each in followers
    )
    if places:
        yield f"  and the digests in {', '.join(places)}"


def _folders(reached: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file in reached:
        found.setdefault(os.path.dirname(file), []).append(file)
    return found


def _lines(reached: list[Field], *, is_whole: bool) -> Iterator[str]:
    own = [each for each in reached if not each.follows]
    if is_whole:
        yield "    all of it"
        return
    width = len(str(max(each.line for each in own)))
    for each in own:
        yield f"    {each.line:>{width}}  {_named(each)}{_said(each.value)}"


def _named(field: Field) -> str:
    """The path before a value; a line of text has none."""
    is_line = len(field.path) == 1 and isinstance(field.path[0], int)
    return "" if is_line or not field.path else f"{dotted(field.path)}: "


def _said(value: Any) -> str:  # noqa: ANN401 - any YAML value
    return shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
