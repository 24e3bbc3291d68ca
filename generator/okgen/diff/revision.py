"""What a cluster's folder holds as committed at a Git revision. The only place that runs Git, a few times a run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from functools import cache
from typing import IO, TYPE_CHECKING, NamedTuple

from okgen import __version__
from okgen.diff.before import MOST_TOGETHER, TOO_MUCH, difference, unread
from okgen.diff.nouns import Before, Difference
from okgen.problem import Refused, Unable
from okgen.read import source
from okgen.text import harmless
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_FILE_MODES = (b"100644", b"100755", b"100664")
_KINDS = {b"120000": "a symbolic link was there", b"160000": "a submodule was there"}
_SHALLOW = "; this clone is shallow: git fetch --depth=1 origin COMMIT gets the one, git fetch --unshallow all"
_SHA256_LENGTH = 64
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


class Blob(NamedTuple):
    """A file of a commit: Git's mode and the id of its content."""

    mode: bytes
    id: str


class Tree(NamedTuple):
    """A cluster's files to be: its folder from the repository's root with "/", "" for the root, and texts by path."""

    folder: str
    files: Mapping[str, str]


class Revision:
    """A commit of the repository in a folder. Raises Unable when there is none of this name."""

    def __init__(self, root: str, name: str) -> None:
        self._root = root
        if not os.path.lexists(os.path.join(root, ".git")):
            raise Unable(f"{os.path.relpath(root)} is in no Git repository, so there is no revision to compare with")
        if not name or name.startswith("-") or "\0" in name:
            raise Unable(f"not the name of a Git revision: {harmless(name)!r}")
        code, out, err = self._run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if code:
            reason = err.decode(errors="replace").strip() or f"no commit has the name {name}"
            shallow = self._run("rev-parse", "--is-shallow-repository")[1].strip() == b"true"
            raise Unable(f"--base: {reason}{_SHALLOW if shallow else ''}")
        self._commit = out.decode().strip()

    def before(self, trees: Sequence[Tree]) -> list[Before]:
        """How the files to be differ from those of the commit, tree by tree. Raises Unable, Refused."""
        listed = self.listing([each.folder for each in trees])
        there = _by_folder(listed, [each.folder for each in trees])
        together = MOST_TOGETHER * len(trees)
        ids = [blob.id for blobs in there if (blob := blobs.get(index.NAME))]
        indexes = self._contents(ids, index.MOST_BYTES, together)
        known = [_index(blobs, indexes, each.folder) for blobs, each in zip(there, trees, strict=True)]
        paths = [_paths(*each) for each in zip(trees, there, known, strict=True)]
        found = (blobs[path] for blobs, names in zip(there, paths, strict=True) for path in names if path in blobs)
        contents = self._contents((blob.id for blob in found if blob.mode in _FILE_MODES), source.MOST_BYTES, together)
        return [
            _before(each, blobs, of, names, contents)
            for each, blobs, of, names in zip(trees, there, known, paths, strict=True)
        ]

    def strays(self, parent: str, claimed: Collection[str]) -> list[str]:
        """The folders below a parent that hold an index though no cluster.yaml claims them."""
        start = f"{parent}/" if parent else ""
        folders = [path.rpartition("/")[0] for path in self.listing([parent]) if path.endswith(f"/{index.NAME}")]
        return sorted(each for each in folders if "/" not in each.removeprefix(start) and each not in claimed)

    def files(self, paths: Collection[str]) -> dict[str, bytes]:
        """The content of those of these files that are in the commit, paths from the repository's root."""
        listed = self.listing(paths)
        blobs = {path: listed[path] for path in paths if path in listed and listed[path].mode in _FILE_MODES}
        ids = [blob.id for blob in blobs.values()]
        contents = self._contents(ids, source.MOST_BYTES, source.MOST_BYTES * len(ids))
        return {path: contents[blob.id] for path, blob in blobs.items() if blob.id in contents}

    @cache  # noqa: B019 - one object a run
    def _listing(self, paths: tuple[str, ...]) -> dict[str, Blob]:
        code, out, err = self._run(
            "--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", self._commit, "--", *paths
        )
        if code:
            raise Unable(f"--base: {err.decode(errors='replace').strip()}")
        found = {}
        for line in out.split(b"\0")[:-1]:
            about, _, path = line.partition(b"\t")
            mode, _, object_id = about.split(b" ")
            found[os.fsdecode(path)] = Blob(mode, object_id.decode())
        return found

    def listing(self, paths: Iterable[str]) -> dict[str, Blob]:
        """The files at or below these paths; "" stands for the whole repository."""
        named = tuple(sorted(set(paths)))
        return self._listing(() if "" in named else named) if named else {}

    def _contents(self, ids: Iterable[str], most: int, together: int) -> dict[str, bytes]:
        """The content of blobs by id, of each the first ``most`` bytes and one more; none beyond ``together``."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        # A file rather than a pipe: Git answers while it is asked, and both could wait for one another.
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(f"{each}\n" for each in wanted).encode())
            asked.seek(0)
            with self._start("cat-file", "--batch", stdin=asked) as process:
                found = dict(_answers(process, most, together))
            if process.returncode:
                raise Unable("--base: git cat-file failed")
        return found

    def _run(self, *arguments: str) -> tuple[int, bytes, bytes]:
        with self._start(*arguments, stdin=subprocess.DEVNULL) as process:
            out, err = process.communicate()
        return process.returncode, out, err

    def _start(self, *arguments: str, stdin: IO[bytes] | int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - the arguments are no shell's, and none of the user's is an option
                ["git", "-C", self._root, *arguments],  # noqa: S607 - as the user has it
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if stdin == subprocess.DEVNULL else subprocess.DEVNULL,
                env=_environment(),
            )
        except OSError as error:
            raise Unable(f"--base needs git: {error.strerror}") from None


def _environment() -> dict[str, str]:
    """Ours without what hooks are told of the repository they run in: the folder says which one is meant."""
    own = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1"}
    return {name: value for name, value in os.environ.items() if name not in _OF_HOOKS} | own


def _answers(process: subprocess.Popen[bytes], most: int, together: int) -> Iterator[tuple[str, bytes]]:
    """What ``git cat-file --batch`` says: a line with id, type and size, the content, a line end."""
    stream = process.stdout
    assert stream is not None, "it was asked for"
    while head := stream.readline():
        parts = head.split()
        if len(parts) != 3:  # noqa: PLR2004 - "<id> missing": a partial clone
            raise Unable(f"--base: the repository lacks an object: {head.decode(errors='replace').strip()}")
        size = int(parts[2])
        content = stream.read(min(size, most + 1))
        together -= len(content)
        rest = size - len(content) + 1
        while rest:
            rest -= len(stream.read(min(rest, 1 << 20))) or rest
        if together >= 0:
            yield parts[0].decode(), content


def _by_folder(listed: Mapping[str, Blob], folders: Sequence[str]) -> list[dict[str, Blob]]:
    """The files of each folder, by their path in it."""
    found: dict[str, dict[str, Blob]] = {folder: {} for folder in folders}
    for path, blob in listed.items():
        folder, rest = "", path
        while folder not in found and rest:
            step, _, rest = rest.partition("/")
            folder = f"{folder}/{step}" if folder else step
        if rest:
            found[folder][rest] = blob
    return [found[folder] for folder in folders]


def _index(blobs: Mapping[str, Blob], contents: Mapping[str, bytes], folder: str) -> index.Index:
    blob = blobs.get(index.NAME)
    if blob is None or blob.id not in contents:
        return index.EMPTY
    try:
        return index.parse(contents[blob.id], os.path.join(folder, index.NAME))
    except Refused as refused:
        raise Unable(f"--base: at that revision, {refused.problems[0].file} {refused.problems[0].message}") from None


def _paths(tree: Tree, blobs: Mapping[str, Blob], known: index.Index) -> list[str]:
    """The paths of the files that differ."""
    found = [path for path, text in tree.files.items() if path not in blobs or not _is(blobs[path], text)]
    return found + [path for path in {**known.files, **known.pending} if path not in tree.files and path in blobs]


def _is(blob: Blob, text: str) -> bool:
    return blob.mode in _FILE_MODES and blob.id == _blob_id(text, len(blob.id) == _SHA256_LENGTH)


@cache
def _blob_id(text: str, sha256: bool) -> str:
    """The id Git gives a file with this text, so that what is the same need not be read."""
    data = text.encode()
    state = hashlib.sha256() if sha256 else hashlib.sha1(usedforsecurity=False)
    state.update(b"blob %d\0" % len(data))
    state.update(data)
    return state.hexdigest()


def _before(
    tree: Tree, blobs: Mapping[str, Blob], known: index.Index, paths: list[str], contents: Mapping[str, bytes]
) -> Before:
    found = []
    for path in paths:
        blob = blobs.get(path)
        if blob is not None and blob.mode in _KINDS:
            found.append(unread(path, _KINDS[blob.mode], tree.files.get(path)))
        elif blob is not None and blob.id not in contents:
            found.append(unread(path, TOO_MUCH, tree.files.get(path)))
        else:
            old = None if blob is None else contents[blob.id]
            found.append(difference(path, old, tree.files.get(path), known))
    recorded = blobs.get(index.NAME)
    wanted = {path: index.encoded(text)[1] for path, text in tree.files.items()}
    if recorded is not None and not _is(recorded, index.text(index.Index(__version__, wanted, {})).decode()):
        found.append(Difference(index.NAME, "", ""))
    exists = recorded is not None or any(path in blobs for path in tree.files)
    return Before(exists, known.okgen, sorted(found))
