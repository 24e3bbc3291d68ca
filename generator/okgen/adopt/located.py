"""From a rendered file to the tree it belongs to, and to the cluster.yaml that the tree is rendered from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen.addons.catalogue import Catalogue
from okgen.problem import Refused, Unable
from okgen.read import inputs, source
from okgen.render.renderer import Renderer
from okgen.repository import root_of
from okgen.resolve.resolver import resolve
from okgen.text import harmless
from okgen.write import index
from okgen.write.places import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.read.inputs import Input
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster


class Edited(NamedTuple):
    """A file as the command line names it: the folder of its cluster, absolute, and its path in there."""

    file: str
    folder: str
    path: str


class Source(NamedTuple):
    """A cluster.yaml, the cluster it describes, and the text of every file that is rendered from it, by path."""

    input: Input
    document: Document
    cluster: Cluster
    files: dict[str, str]


def edited(file: str) -> Edited:
    """Raises Unable for a file that is in no rendered tree."""
    path = os.path.abspath(file)
    folder = os.path.dirname(path)
    while not os.path.lexists(os.path.join(folder, index.NAME)):
        if (parent := os.path.dirname(folder)) == folder:
            raise Unable(f"{harmless(file)}: not in a rendered tree, as no folder above it holds {index.NAME}")
        folder = parent
    return Edited(os.path.relpath(path), folder, os.path.relpath(path, folder).replace(os.sep, "/"))


def source_of(folder: str, given: str | None) -> Source:
    """What a cluster's folder is rendered from: the file that is given, else the one found in its repository.

    Raises Refused for what is wrong with that file, Unable when there is none.
    """
    name = os.path.basename(folder)
    if given is not None:
        (found,) = inputs.find([given])
        made = read(found)
        if made.cluster.name != name:
            whose = f"{harmless(found.file)} is of cluster {made.cluster.name}"
            raise Unable(f"{whose}, the tree is of {harmless(name)}")
        return made
    for each in _inputs(folder):
        if _name(each) == name:
            made = read(each)
            if place_of(each, made.cluster, None).folder == folder:
                return made
    where = harmless(os.path.relpath(folder))
    raise Unable(f"no cluster.yaml in this repository is rendered into {where}: name it with --cluster")


def read(given: Input) -> Source:
    """Reads a cluster.yaml and renders it. Raises Refused, Unable, TemplateError."""
    return rendered(source.read(given.path, given.file), given)


def rendered(document: Document, given: Input) -> Source:
    """The same, of a document that has been read. Raises Refused, TemplateError."""
    cluster, _ = resolve(document, Catalogue(), given.root)
    return Source(given, document, cluster, Renderer().files(cluster, document))


def _inputs(folder: str) -> Iterable[Input]:
    """Every cluster.yaml of the repository around a folder; outside of one, those in the folders above it."""
    root = root_of(folder)
    if root is not None:
        return inputs.find([root])
    names = [os.path.join(above, name) for above in _above(folder) for name in sorted(os.listdir(above))]
    found = [name for name in names if inputs.is_cluster(os.path.basename(name)) and os.path.isfile(name)]
    return inputs.find(found) if found else []


def _above(folder: str) -> Iterator[str]:
    while (parent := os.path.dirname(folder)) != folder:
        yield parent
        folder = parent


def _name(given: Input) -> str:
    """The name of the cluster in a file; "" when it cannot be read, as the one that is looked for may be another."""
    try:
        data = source.read(given.path, given.file).data
    except Refused:
        return ""
    metadata = data.get("metadata") if isinstance(data, dict) else None
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
