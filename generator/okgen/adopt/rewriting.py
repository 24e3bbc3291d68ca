"""Replaces a file that a person wrote by its new text, in one step and only while it is what was read."""

from __future__ import annotations

import os
import stat

from okgen.problem import Unable
from okgen.text import harmless
from okgen.write.folders import naming

_BOM = b"\xef\xbb\xbf"
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def replace(path: str, before: str, after: str) -> None:
    """Write a text over the one that was read, both without byte order mark; the file's own mark and rights stay.

    A symbolic link stays one: what it leads to is replaced. Raises Unable when the file has changed meanwhile, or the
    system refuses.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.okgen")
    with naming("write", target):
        with open(target, "rb") as file:
            raw, mode = file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        mark = _BOM if raw.startswith(_BOM) else b""
        if raw != mark + before.encode():
            raise Unable(f"{harmless(os.path.relpath(path))} changed while okgen was at work: run it again")
        try:
            with open(os.open(temporary, _WRITE, mode), "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(mark + after.encode())
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            if os.path.lexists(temporary):
                os.unlink(temporary)
            raise
