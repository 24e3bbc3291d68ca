"""The index of a rendered tree, ``.okgen.json``: which files are okgen's, and what okgen wrote into each."""

from __future__ import annotations

import hashlib
import os.path
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from okgen.problem import Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = ".okgen.json"
FORMAT = 1
MOST_BYTES = 4 * 1024 * 1024  # some 25,000 files; a tree has a few hundred

# A path of the tree: printable ASCII that stands in JSON as it is, no part empty, ".", "..", or one of okgen's own.
_PATH = re.compile(r"(?!\.okgen)(?:(?!\.\.?(?:/|\Z))[!#-.0-\[\]-~ ]+(?:/(?!\Z)|\Z))+")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r'^    "([^"]+)": "([^"]+)"', re.MULTILINE)
_CONFLICT = re.compile(rb"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_ANEW = "restore it from Git, or delete it and run `okgen render` again"


class Index(NamedTuple):
    """What an index says: by path, the SHA-256 of what okgen wrote, in hexadecimal digits.

    ``pending`` is there only while a tree is written, and after a run that was killed: what that run meant to write.
    ``okgen`` is the version that wrote the files, empty where there is no index.
    """

    okgen: str
    files: Mapping[str, str]
    pending: Mapping[str, str]

    def knows(self, path: str, digest: str) -> bool:
        """Whether okgen wrote these bytes there, or was about to."""
        return digest in (self.files.get(path), self.pending.get(path))


EMPTY = Index("", {}, {})


def digest(data: bytes) -> str:
    """The SHA-256 of a file's bytes in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


_MOST_KEPT = 2_048
_encoded: dict[str, tuple[bytes, str]] = {}


def encoded(text: str) -> tuple[bytes, str]:
    """The bytes of a text and their SHA-256; clusters share most texts, so they are kept."""
    found = _encoded.get(text)
    if found is None:
        if len(_encoded) >= _MOST_KEPT:
            _encoded.clear()
        data = text.encode()
        found = _encoded[text] = (data, digest(data))
    return found


@lru_cache(maxsize=4096)  # clusters have the same paths
def is_path(path: str) -> bool:
    """Whether a path may stand in an index: relative, with "/" between its parts, and never leading out."""
    return _PATH.fullmatch(path) is not None


def text(index: Index) -> bytes:
    """The bytes of an index: JSON, sorted, one line a file."""
    head = f'{{\n  "version": {FORMAT},\n  "okgen": "{index.okgen}",\n  "files": {_table(index.files)}'
    tail = f',\n  "pending": {_table(index.pending)}' if index.pending else ""
    return f"{head}{tail}\n}}\n".encode()


def files_of(data: bytes) -> dict[str, str]:
    """The files of an index without ``pending``, of which it is known that these are the bytes ``text`` made."""
    return dict(_LINE.findall(data.decode()))


def _table(digests: Mapping[str, str]) -> str:
    # Paths need no escapes (is_path), so this is JSON, many times faster than json.dumps with an indent.
    lines = '",\n    "'.join(map('": "'.join, sorted(digests.items())))
    return f'{{\n    "{lines}"\n  }}' if lines else "{}"


def parse(data: bytes, place: str) -> Index:
    """The index that these bytes hold; ``place`` is where the file is.

    Raises Refused when they hold none: damaged, in merge conflict, of a newer okgen, or with paths that lead out.
    """
    if len(data) > MOST_BYTES:
        _damaged(place, f"it is longer than {MOST_BYTES:,} bytes")
    conflict = _CONFLICT.search(data)
    if conflict:
        _refuse(
            place,
            "OKG502",
            "holds the marks of a merge conflict",
            "take either side, then run `okgen render` again",
            (data.count(b"\n", 0, conflict.start()) + 1, 1),
        )
    read = _json(data, place)
    version = read.get("version")
    if type(version) is int and version > FORMAT:
        _refuse(
            place,
            "OKG503",
            f"has format {version}, this okgen knows {FORMAT}",
            "use the okgen that wrote it, or a newer one",
        )
    if type(version) is not int or version != FORMAT:
        _damaged(place, f"its version is not {FORMAT}")
    okgen = read.get("okgen")
    if not isinstance(okgen, str) or not re.fullmatch(r"[0-9A-Za-z.+!-]*", okgen):
        _damaged(place, "its okgen is not a version")
    return Index(okgen, _digests(read, "files", place), _digests({"pending": {}} | read, "pending", place))


def _json(data: bytes, place: str) -> dict[str, object]:
    from json import JSONDecodeError

    from okgen.read.json import loads

    try:
        read = loads(data)
    except JSONDecodeError as error:
        _damaged(place, f"it is no JSON: {error.msg}", error.lineno, error.colno)
    except (ValueError, RecursionError) as error:  # not UTF-8; a key twice; a thousand brackets
        _damaged(place, f"it is no JSON: {error}")
    if not isinstance(read, dict):
        _damaged(place, "it is no JSON object")
    return read


def _digests(read: Mapping[str, object], key: str, place: str) -> dict[str, str]:
    table = read.get(key)
    if not isinstance(table, dict):
        _damaged(place, f"its {key} are not a table of paths")
    for path, found in table.items():
        if not is_path(path):
            _damaged(place, f"in its {key}, this path leads out of the tree: {path!a:.80}")
        if not isinstance(found, str) or not _DIGEST.fullmatch(found):
            _damaged(place, f"in its {key}, {path} has no SHA-256")
    return table


def _damaged(place: str, why: str, line: int = 1, column: int = 1) -> NoReturn:
    _refuse(place, "OKG501", f"is damaged: {why}", _ANEW, (line, column))


def _refuse(place: str, code: str, what: str, way_out: str, at: tuple[int, int] = (1, 1)) -> NoReturn:
    raise Refused([Problem(os.path.relpath(place), *at, code, "error", f"the index {what}", help=way_out)])
