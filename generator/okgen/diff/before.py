"""What a cluster's folder holds on disk where a render would change it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen import __version__
from okgen.diff.nouns import Before, Difference
from okgen.read import source
from okgen.write import index, tree
from okgen.write.folders import enter
from okgen.write.plan import EDITED, FOLDER, SPECIAL, SYMLINK

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

NOT_OURS = "not written by okgen"
TOO_MUCH = "too much differs to compare it all"
MOST_TOGETHER = 8 * 1024 * 1024  # bytes of a cluster's files that differ; a whole tree has a tenth of a MiB
_PLACES = {SYMLINK: "a symbolic link was there", FOLDER: "a folder was there", SPECIAL: "a special file was there"}


def on_disk(folder: str, trusted_root: str, files: Mapping[str, str]) -> Before:
    """How the files to be, texts by path, differ from those that are there. Raises Refused, Unable."""
    snapshot = tree.snapshot(folder, files, trusted_root=trusted_root)
    known, wanted = snapshot.known, snapshot.wanted
    dropped = [path for path in {**known.files, **known.pending} if path not in wanted and path in snapshot.found]
    paths = [path for path, digest in wanted.items() if snapshot.found.get(path) != digest] + dropped
    contents = tree.contents(folder, paths, source.MOST_BYTES, MOST_TOGETHER, trusted_root=trusted_root)
    differences = [
        unread(path, _PLACES.get(snapshot.found[path], TOO_MUCH), files.get(path))
        if path in snapshot.found and path not in contents
        else difference(path, contents.get(path), files.get(path), known)
        for path in paths
    ]
    if snapshot.recorded is not None and snapshot.recorded != index.text(index.Index(__version__, wanted, {})):
        differences.append(Difference(index.NAME, "", ""))
    exists = snapshot.recorded is not None or any(path in snapshot.found for path in wanted)
    return Before(exists, known.okgen, sorted(differences))


def difference(path: str, old: bytes | None, new: str | None, known: index.Index) -> Difference:
    """One file, of whose old bytes only the first 1 MiB and one more are needed; ``known`` is the old index."""
    if old is None:
        return Difference(path, None, new)
    remark = "" if known.knows(path, index.digest(old)) else EDITED if path in known.files else NOT_OURS
    if len(old) > source.MOST_BYTES:
        return Difference(path, "", new, remark, "larger than 1 MiB")
    try:
        return Difference(path, old.decode(), new, remark)
    except UnicodeDecodeError:
        return Difference(path, "", new, remark, "not UTF-8")


def unread(path: str, why: str, new: str | None) -> Difference:
    """A place with something of which the content is not known."""
    return Difference(path, "", new, "", why)


def strays(parent: str, trusted_root: str, claimed: Collection[str]) -> list[str]:
    """The folders beside the clusters' that hold an index which no cluster.yaml claims. Raises Refused, Unable."""
    top = enter(parent, trusted_root)
    if top is None:
        return []
    try:
        names = sorted(os.listdir(top))
    finally:
        os.close(top)
    found = [os.path.join(parent, name) for name in names]
    return [folder for folder in found if folder not in claimed and _is_rendered(folder)]


def _is_rendered(folder: str) -> bool:
    return not os.path.islink(folder) and os.path.isfile(os.path.join(folder, index.NAME))
