"""``okgen init``: a commented cluster.yaml to start from; never overwrites."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from okgen.addons.catalogue import Catalogue
from okgen.manual import Example, Manual
from okgen.problem import Unable
from okgen.starter import starter
from okgen.text import harmless

if TYPE_CHECKING:
    import argparse

_NAME = "cluster.yaml"

MANUAL = Manual(
    """\
The file is complete but for what only you know, which stands in <angle brackets>: the account,
the region, the VPC, the hosted zone, the repository. Every add-on that is not archived is on.
An existing file is never overwritten.
""",
    {0: "written", 2: "there is a file of that name, or it cannot be written"},
    (
        Example("okgen init", "cluster.yaml in this folder"),
        Example("okgen init clusters/shop-prod.cluster.yaml", "a file of that name"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("path", nargs="?", default=_NAME, metavar="PATH", help="a file, or a folder to put it in")


def run(arguments: argparse.Namespace) -> int:
    """Write the file. Raises Unable when there is one."""
    path = arguments.path
    if os.path.isdir(path):
        path = os.path.join(path, _NAME)
    name = harmless(path)
    try:
        _write(path, starter(Catalogue(), name))
    except FileExistsError:
        raise Unable(f"{path} is there already; okgen init never overwrites") from None
    except OSError as error:
        raise Unable(f"cannot write {path}: {error.strerror}") from None
    sys.stderr.write(f"wrote {name}: fill in what stands in <angle brackets>, then run okgen render {name}\n")
    return 0


def _write(path: str, text: str) -> None:
    """Makes the file, whole or not at all: half of one would be in the way of the next try. Raises OSError."""
    file = open(path, "x", encoding="utf-8")  # noqa: SIM115 - what fails here has made none
    try:
        with file:
            file.write(text)
    except BaseException:
        os.unlink(path)
        raise
