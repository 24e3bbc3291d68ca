"""What somebody asks about: a place on the command line becomes a cluster, a file of its tree, and fields."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from okgen import pipeline
from okgen.owners import owner
from okgen.problem import Refused, Unable
from okgen.provenance import fields, lines
from okgen.provenance.tree import Provenance
from okgen.read import inputs, source
from okgen.text import harmless, lines_of
from okgen.write import index

if TYPE_CHECKING:
    from okgen.pipeline import Rendered
    from okgen.problem import Path
    from okgen.read.inputs import Input
    from okgen.read.source import Document

_PLACE = re.compile(r"(.+?)(?::([0-9]{1,4000})(?::([0-9]{1,4000}))?)?", re.DOTALL)
_MOST_BYTES = 4 * 1024 * 1024


class Question(NamedTuple):
    """``file`` is the path below the cluster's folder, or empty when cluster.yaml itself is asked about.

    ``shown`` names it for messages. ``text`` is what it holds on the disk, or what is rendered where there is none;
    ``is_edited`` says that the two differ. ``paths`` are the fields asked about.
    """

    rendered: Rendered
    provenance: Provenance
    file: str
    shown: str
    text: str
    paths: list[Path]

    @property
    def is_edited(self) -> bool:
        """Whether the file on the disk is not what is rendered now."""
        return bool(self.file) and self.text != self.provenance.text(self.file)

    def line_of(self, path: Path) -> int:
        """The line a field starts in."""
        document = self.rendered.document if not self.file else fields.parsed(self.shown, self.text)
        return lines.line_of(document, path) if document else int(path[0]) + 1 if path else 1


def question(place: str, field: str | None, cluster: str | None, output: str | None) -> Question:
    """What FILE, FILE:LINE or FILE:LINE:COLUMN means, with the FIELD beside it, ``--cluster`` and ``--output``.

    Raises Unable where there is no one answer, TemplateError.
    """
    name, line, column = _split(place)
    path = os.path.abspath(name)
    if os.path.isdir(path):
        raise Unable(f"{harmless(name)}: a folder; name a file in it, and a line")
    if field is not None and line:
        raise Unable("name a line or a field, not both")
    given = _input(path, name)
    rendered, file = (_rendered(given, output), "") if given else _tree_of(path, cluster, output)
    provenance = Provenance(rendered.document, rendered.cluster, rendered.files)
    text = _on_disk(rendered, file) if file else rendered.document.text
    if text is None:
        text = provenance.text(file)
    asked = Question(rendered, provenance, file, os.path.relpath(path), text, [])
    return asked._replace(paths=[_named_field(asked, field)] if field is not None else _of_line(asked, line, column))


def _split(place: str) -> tuple[str, int, int]:
    """The file, and the line and column or 0."""
    if "\0" in place or not place:
        raise Unable("the name of the file is empty" if not place else "no file can have this name")
    if os.path.lexists(place):
        return place, 0, 0
    found = _PLACE.fullmatch(place)
    assert found
    if found[2] and not int(found[2]):
        raise Unable("lines count from 1")
    return found[1], int(found[2] or 0), int(found[3] or 0)


def _input(path: str, name: str) -> Input | None:
    """The input of that path; None for a file of a tree, or one that is not there."""
    if not os.path.isfile(path) or not (inputs.is_cluster(os.path.basename(path)) or _is_cluster(path)):
        return None
    return inputs.find([name])[0]


def _is_cluster(path: str) -> bool:
    """Whether a file of any name says that it describes a cluster."""
    try:
        data = source.read(path, path).data
    except (Refused, Unable):
        return False
    return isinstance(data, dict) and data.get("kind") == "Cluster" and "kubernetesVersion" in data


def _tree_of(path: str, cluster: str | None, output: str | None) -> tuple[Rendered, str]:
    """The cluster whose tree a path is in, and the path below its folder."""
    hint = "; --cluster FILE names the one, --output DIR a tree that was written elsewhere"
    given = owner(path, cluster, output, hint)
    rendered = _rendered(given, output)
    file = os.path.relpath(path, rendered.place.folder).replace(os.sep, "/")
    if file not in rendered.files and file != index.NAME:
        shown = harmless(os.path.relpath(path))
        raise Unable(f"{shown}: not one of the files that {harmless(given.file)} renders")
    return rendered, file


def _rendered(given: Input, output: str | None) -> Rendered:
    """The cluster of an input. Raises Unable when it has mistakes."""
    findings = pipeline.Findings()
    found = pipeline.rendered([given], findings, output)
    if findings.are_errors or not found:
        first = next(each for each in findings.problems if each.is_error)
        raise Unable(f"{given.file}:{first.line}:{first.column}: {first.code} {first.message}; see okgen validate")
    return found[0]


def _on_disk(rendered: Rendered, file: str) -> str | None:
    """What a file of the tree holds now; None where it is not there.

    Raises Unable for what is no ordinary file, or is reached by a symbolic link.
    """
    step = rendered.place.trusted
    path = os.path.join(rendered.place.folder, *file.split("/"))
    for part in os.path.relpath(path, step).split(os.sep):
        step = os.path.join(step, part)
        if os.path.islink(step):
            raise Unable(f"{harmless(os.path.relpath(step))}: a symbolic link, and okgen follows none in a tree")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        if kind := inputs.kind(os.fstat(descriptor).st_mode):
            raise Unable(f"{harmless(os.path.relpath(path))}: {kind}, not a file")
        return stream.read(_MOST_BYTES).decode("utf-8", "replace")


def _of_line(asked: Question, line: int, column: int) -> list[Path]:
    """The fields that stand in a line; without a line the whole file. Raises Unable."""
    shown = harmless(asked.shown)
    if not line:
        if not asked.file:
            raise Unable(f"{shown}: name a line of it, as in {shown}:12, or a field")
        return [()]
    count = len(lines_of(asked.text.removesuffix("\n")))
    if line > count:
        raise Unable(f"{shown}:{line}: the file has {count} lines")
    if asked.file and not asked.file.endswith((".yaml", ".json")):
        return [(line - 1,)]
    document = asked.rendered.document if not asked.file else _parsed(asked)
    found = lines.paths(document, line, column)
    if not found:
        raise Unable(f"{shown}:{line}: no value stands in this line")
    return found


def _parsed(asked: Question) -> Document:
    try:
        return source.parse(asked.text.encode(), asked.shown)
    except Refused as refused:
        first = refused.problems[0]
        message = f"cannot be read: {first.message}; okgen check shows what was changed in it"
        raise Unable(f"{harmless(asked.shown)}:{first.line}: {message}") from None


def _named_field(asked: Question, field: str) -> Path:
    data = asked.provenance.data(asked.file) if asked.file else asked.provenance.values
    try:
        return fields.find(data, field)
    except LookupError:
        raise Unable(f"{harmless(asked.shown)}: no field {harmless(field)}") from None
