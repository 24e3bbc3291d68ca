"""``okgen schema``: the JSON Schema of cluster.yaml with all add-ons, of an add-on's section, or of okgen.yaml."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import Catalogue
from okgen.fleet import exemptions
from okgen.judge.schema import bundle
from okgen.manual import Example, Manual
from okgen.problem import Unable

if TYPE_CHECKING:
    import argparse

MANUAL = Manual(
    """\
JSON Schema 2020-12 on stdout. Editors that know YAML language servers complete and check with it:
okgen init writes the line that names it into cluster.yaml.
""",
    {0: "printed", 2: "no add-on of that name"},
    (
        Example("okgen schema > okgen.schema.json", "of cluster.yaml, all add-ons joined in"),
        Example("okgen schema --addon external-dns", "of one add-on's section"),
        Example("okgen schema --repository", "of okgen.yaml"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--addon", metavar="NAME", help="only the section of this add-on")
    which.add_argument(
        "--repository", action="store_true", help="that of okgen.yaml, the file at the root of a repository"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the schema on stdout. Raises Unable for an unknown add-on."""
    schema = exemptions.schema() if arguments.repository else _of_clusters(arguments.addon)
    json.dump(schema, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


def _of_clusters(addon: str | None) -> dict[str, Any]:
    catalogue = Catalogue()
    schema = bundle(catalogue)
    if addon is None:
        return schema
    require(catalogue, addon)
    return _section(schema, addon)


def require(catalogue: Catalogue, name: str) -> None:
    """Raises Unable unless okgen has an add-on of that name."""
    if name not in catalogue.names:
        from okgen.judge.violations import suggestion

        raise Unable(f"unknown add-on {name}; {suggestion(name, catalogue.names, 'add-ons')}")


def _section(schema: dict[str, Any], name: str) -> dict[str, Any]:
    definitions = {key: value for key, value in schema["$defs"].items() if key != name}
    return {"$schema": schema["$schema"], **schema["$defs"][name], "$defs": definitions}
