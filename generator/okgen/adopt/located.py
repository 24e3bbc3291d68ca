"""From a rendered file to the tree it belongs to, and to the cluster.yaml that the tree is rendered from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen.addons.catalogue import Catalogue
from okgen.owners import owner
from okgen.problem import Unable
from okgen.read import source
from okgen.render.renderer import Renderer
from okgen.resolve.resolver import resolve
from okgen.text import harmless
from okgen.write import index

if TYPE_CHECKING:
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
    # Where it is named, the tree may have been rendered anywhere.
    output = None if given is None else os.path.dirname(folder)
    return read(owner(folder, given, output, ": name it with --cluster"))


def read(given: Input) -> Source:
    """Reads a cluster.yaml and renders it. Raises Refused, Unable, TemplateError."""
    return rendered(source.read(given.path, given.file), given)


def rendered(document: Document, given: Input) -> Source:
    """The same, of a document that has been read. Raises Refused, TemplateError."""
    cluster, _ = resolve(document, Catalogue(), given.root)
    return Source(given, document, cluster, Renderer().files(cluster, document))
