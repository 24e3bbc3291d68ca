"""``okgen addons``: the add-ons okgen has, or one of them with its versions and keys."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from okgen.catalogue import Addon, Catalogue, Release
from okgen.commands.schema import require
from okgen.schema import bundle, follow

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this add-on's versions and keys")


def run(arguments: argparse.Namespace) -> int:
    """Print on stdout. Raises Unable for an unknown add-on."""
    catalogue = Catalogue()
    if arguments.name:
        require(catalogue, arguments.name)
        schema = bundle(catalogue, [arguments.name])
        lines = list(_one(catalogue.addon(arguments.name), schema))
    else:
        lines = _table([_row(catalogue.addon(name)) for name in catalogue.names])
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def kubernetes_range(release: Release) -> str:
    """The Kubernetes versions a release runs on, in words."""
    first = f"1.{release.minimum}"
    return f"{first} to 1.{release.maximum}" if release.maximum else f"{first} and later"


def keys(schema: dict[str, Any], root: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of a schema with its own schema, nested keys as ``webhook.replicas`` and ``stores[].name``."""
    for name, found in follow(schema, root).get("properties", {}).items():
        each = follow(found, root)
        path = f"{prefix}{name}"
        yield path, each
        yield from keys(each, root, f"{path}.")
        if "items" in each:
            yield from keys(each["items"], root, f"{path}[].")


def default_of(schema: dict[str, Any]) -> str:
    """A key's default as one would write it, ``derived`` for one that follows from others, or an empty string."""
    if "x-default" in schema:
        return "derived"
    return json.dumps(schema["default"], ensure_ascii=False) if "default" in schema else ""


def _row(addon: Addon) -> list[str]:
    releases = ", ".join(release.version for release in addon.releases)
    return [addon.name, releases, kubernetes_range(addon.releases[0]), addon.definition["summary"]]


def _one(addon: Addon, root: dict[str, Any]) -> Iterator[str]:
    definition = addon.definition
    yield f"{addon.name}: {definition['title']}, {definition['summary']}"
    yield definition["homepage"]
    if definition["lifecycle"] == "archived":
        yield f"archived upstream; its successor is {definition['successor']}"
    yield ""
    rows = [["VERSION", "KUBERNETES", "TESTED UPSTREAM"]]
    for release in addon.releases:
        first, last = release.tested
        tested = f"1.{first}" if first == last else f"1.{first} to 1.{last}"
        rows.append([release.version, kubernetes_range(release), tested])
    yield from _table(rows, head=False)
    yield ""
    shown = [
        [path, default_of(each), each.get("description", "")] for path, each in keys(root["$defs"][addon.name], root)
    ]
    yield from _table([["KEY", "DEFAULT", "WHAT IT IS"], *shown], head=False)


def _table(rows: list[list[str]], *, head: bool = True) -> list[str]:
    if head:
        rows = [["NAME", "VERSIONS", "KUBERNETES", "WHAT IT DOES"], *rows]
    widths = [min(max(len(row[column]) for row in rows), 48) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
