"""Where files cost no disk."""

from __future__ import annotations

import os
import shutil

_PLACE = "/dev/shm"  # noqa: S108 - what goes there has a random name
_ROOM = 32 * 1024 * 1024  # bytes: some hundred trees


def folder() -> str | None:
    """A folder that lives in memory and has room, where there is one. What is killed loses nothing there."""
    if os.path.isdir(_PLACE) and os.access(_PLACE, os.W_OK) and shutil.disk_usage(_PLACE).free > _ROOM:
        return _PLACE
    return None
