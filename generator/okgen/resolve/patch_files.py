"""Reads the files that ``patches`` name."""

from __future__ import annotations

import os

from okgen.read import inputs

_LIMIT = 64 * 1024  # bytes, as the schema has it for an inline patch


class UnfitError(Exception):
    """Why a file is not taken, and what to do about it, or ""."""

    def __init__(self, message: str, way_out: str = "") -> None:
        super().__init__(message)
        self.way_out = way_out


def text(file: str, name: str, root: str) -> str:
    """The text of a patch file, which must be an ordinary file inside the repository, reached by no symbolic link.

    ``name`` starts at the folder of the cluster.yaml ``file``, which is relative to the current folder.
    Raises UnfitError.
    """
    target = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(file)), name))
    if os.path.isabs(name) or os.path.commonpath([root, target]) != root:
        raise UnfitError(f"{name} is outside the repository", "write a relative path")
    step, parts = root, os.path.relpath(target, root).split(os.sep)
    if ".git" in (part.lower() for part in parts):  # it may hold credentials
        raise UnfitError(f"{name} is one of Git's own files", "choose another file")
    for part in parts:
        step = os.path.join(step, part)
        if os.path.islink(step):
            raise UnfitError(f"{name} is reached by a symbolic link")
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            kind = inputs.kind(os.fstat(descriptor).st_mode)
            raw = b"" if kind else stream.read(_LIMIT + 1)
    except (OSError, ValueError) as error:  # the latter for a zero byte in the name, or what the locale cannot write
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise UnfitError(f"cannot read {name}: {reason}", "the path starts at the folder of cluster.yaml") from None
    if kind:
        raise UnfitError(f"{name} is {kind}, not a file")
    if len(raw) > _LIMIT:
        raise UnfitError(f"{name} is longer than {_LIMIT} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UnfitError(f"cannot read {name}: it is not UTF-8") from None
