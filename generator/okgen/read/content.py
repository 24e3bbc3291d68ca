"""Reads the bytes of an input and the text in them, before anything looks at it as YAML."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from okgen.problem import Problem, Refused, Unable
from okgen.read import inputs
from okgen.text import harmless, place_after

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_BYTES = 1024 * 1024
_CHUNK = 16 * 1024
_BOM = b"\xef\xbb\xbf"


class Misread(Refused):
    """A file that is not a document, with as much of its text as could be read, for excerpts."""

    def __init__(self, problems: Iterable[Problem], text: str) -> None:
        super().__init__(problems)
        self.text = text


def raw(path: str, file: str) -> bytes:
    """The bytes of a file that messages call ``file``, one more than 1 MiB at most; never waits for a pipe or a device.

    Raises Unable when there is no such file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            found = os.fstat(descriptor)
            if kind := inputs.kind(found.st_mode):
                raise Unable(f"{harmless(file)}: {kind}, not a file")
            return _content(descriptor, found.st_size)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise Unable(f"{harmless(file)}: {inputs.reason(error)}") from None


def _content(descriptor: int, size: int) -> bytes:
    """All of a file, or the first byte too many. The size is a hint: the buffer is the slow part of reading."""
    parts, wanted = [], MOST_BYTES + 1
    while wanted and (part := os.read(descriptor, min(wanted, max(size, _CHUNK) + 1))):
        parts.append(part)
        wanted -= len(part)
    return b"".join(parts)


def text_of(raw: bytes, file: str) -> str:
    """The text of a file without byte order mark. Raises Misread for what is not UTF-8, or too long."""
    if len(raw) > MOST_BYTES:
        raise Misread([Problem(file, 1, 1, "OKG113", "error", "the file is larger than 1 MiB")], "")
    # A zero byte among the first ones: UTF-16 or UTF-32 without a mark, as no other text has one there.
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in raw[:4]:
        message = "the file looks like UTF-16 or UTF-32, which is not read here"
        raise Misread([Problem(file, 1, 1, "OKG102", "error", message, help="save it as UTF-8")], "")
    raw = raw.removeprefix(_BOM)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = place_after(raw[: error.start].decode("utf-8"))
        message = f"byte 0x{raw[error.start]:02x} does not belong to UTF-8 text"
        problem = Problem(file, line, column, "OKG102", "error", message, help="save the file as UTF-8")
        raise Misread([problem], raw.decode("utf-8", "replace")) from None
