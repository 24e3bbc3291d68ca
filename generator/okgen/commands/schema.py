"""``okgen schema``: the JSON Schema of cluster.yaml with all add-ons joined in, or that of one add-on's section."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from okgen.catalogue import Catalogue
from okgen.problem import Unable
from okgen.schema import bundle

if TYPE_CHECKING:
    import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("--addon", metavar="NAME", help="only the section of this add-on")


def run(arguments: argparse.Namespace) -> int:
    """Print the schema on stdout. Raises Unable for an unknown add-on."""
    catalogue = Catalogue()
    schema = bundle(catalogue)
    if arguments.addon:
        require(catalogue, arguments.addon)
        schema = _section(schema, arguments.addon)
    json.dump(schema, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


def require(catalogue: Catalogue, name: str) -> None:
    """Raises Unable unless okgen has an add-on of that name."""
    if name not in catalogue.names:
        from okgen.violations import suggestion

        raise Unable(f"unknown add-on {name}; {suggestion(name, catalogue.names, 'add-ons')}")


def _section(schema: dict[str, Any], name: str) -> dict[str, Any]:
    definitions = {key: value for key, value in schema["$defs"].items() if key != name}
    return {"$schema": schema["$schema"], **schema["$defs"][name], "$defs": definitions}
