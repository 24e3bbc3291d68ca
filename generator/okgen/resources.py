"""Finds the files that are part of okgen: ``schemas/`` and ``overlays/``, in a wheel as in a checkout."""

from __future__ import annotations

import os

PACKAGE = os.path.dirname(os.path.abspath(__file__))


def folder(name: str) -> str:
    """The absolute path of ``schemas`` or ``overlays``: beside the code when installed, else in the checkout."""
    installed = os.path.join(PACKAGE, name)
    return installed if os.path.isdir(installed) else os.path.join(os.path.dirname(os.path.dirname(PACKAGE)), name)


def read(path: str) -> bytes:
    """The bytes of one of okgen's own files. Raises OSError when the installation is damaged."""
    with open(path, "rb", buffering=0) as file:
        return file.read()


def own_file(name: str) -> bytes:
    """A data file that stands beside the code. Raises OSError when the installation is damaged."""
    return read(os.path.join(PACKAGE, name))
