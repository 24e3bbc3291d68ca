"""``okgen init``: a commented cluster.yaml to start from; never overwrites."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from okgen.addons.catalogue import Catalogue
from okgen.commands.manual import Example, Manual
from okgen.problem import Unable
from okgen.starter import starter

if TYPE_CHECKING:
    import argparse

_NAME = "cluster.yaml"

MANUAL = Manual(
    """\
The file is complete but for what only you know, which stands in <angle brackets>: the account,
the region, the VPC, the hosted zone, the repository. Every add-on is there, most of them commented out.
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
    text = starter(Catalogue(), path)
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Unable(f"{path} is there already; okgen init never overwrites") from None
    except OSError as error:
        raise Unable(f"cannot write {path}: {error.strerror}") from None
    sys.stderr.write(f"wrote {path}: fill in what stands in <angle brackets>, then run okgen render {path}\n")
    return 0
