"""The places of okgen's own facts: keys of addon.yaml, of the schemas and of the table of partitions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from okgen import resources
from okgen.read import source

if TYPE_CHECKING:
    from okgen.addons.catalogue import Addon
    from okgen.problem import Path
    from okgen.read.source import Document

_documents: dict[str, Document] = {}
_OF_WORKLOADS = frozenset(("replicas", "resources", "priorityClassName"))


def own(file: str) -> Document:
    """One of okgen's own files, ``overlays/…`` or ``schemas/…``, read once. Raises OSError, Refused."""
    if file not in _documents:
        folder, _, rest = file.partition("/")
        _documents[file] = source.parse(resources.read(os.path.join(resources.folder(folder), rest)), file)
    return _documents[file]


def of_default(addon: Addon | None, path: Path) -> tuple[Document, Path]:
    """Where a key of cluster.yaml has its default: the file, and the path of the key's schema or fact in it.

    ``path`` is that below the add-on's section, or for None that from the top of cluster.yaml.
    """
    if addon is None:
        return _schema_of(own("schemas/cluster.schema.json"), (), path)
    definition = own(addon.file("addon.yaml"))
    if path == ("namespace",):
        return definition, ("namespace", "name")
    other = next((each for each in addon.workloads[1:] if path[0] == each.name), None)
    workload, rest = (other, path[1:]) if other else (addon.workloads[0], path)
    fact = ("workloads", workload.name, *rest)
    if rest and rest[0] in _OF_WORKLOADS and _has(definition.data, fact):
        return definition, fact
    shared = own("schemas/addon-settings.schema.json")
    candidates = [
        _schema_of(own(addon.file("values.schema.json")), (), path),
        *([_schema_of(shared, ("$defs", "addon"), path)] if not other else []),
        _schema_of(shared, ("$defs", "workload"), rest),
    ]
    return max(candidates, key=lambda found: len([step for step in found[1] if step in path]))


def _schema_of(document: Document, place: Path, path: Path) -> tuple[Document, Path]:
    """The path of a key's schema, or of the nearest key around it that has one."""
    for step in path:
        schema = _at(document.data, place)
        if "$ref" in schema:
            place = ("$defs", schema["$ref"].rpartition("/")[2])
            schema = _at(document.data, place)
        if isinstance(step, int):
            place = (*place, "items") if "items" in schema else place
        elif step in schema.get("properties", {}):
            place = (*place, "properties", step)
        else:
            return document, place
    return document, place


def _has(data: Any, path: Path) -> bool:  # noqa: ANN401 - any YAML value
    try:
        _at(data, path)
    except (KeyError, TypeError):
        return False
    return True


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
    for step in path:
        data = data[step]
    return data
