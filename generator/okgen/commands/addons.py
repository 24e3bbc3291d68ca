"""``okgen addons``: the add-ons okgen has, or one of them with its versions and keys."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import Addon, Catalogue, Release
from okgen.commands.schema import require
from okgen.judge.schema import bundle, follow, load
from okgen.manual import Example, Manual

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

_WIDTH = 100

MANUAL = Manual(
    """\
Without a name a table; with one the versions with their Kubernetes ranges, and every key with type,
default and meaning.
""",
    {0: "printed", 2: "no add-on of that name"},
    (
        Example("okgen addons", "all of them"),
        Example("okgen addons external-dns", "one in detail"),
    ),
)


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
        head = ["NAME", "VERSIONS, DEFAULT FIRST", "KUBERNETES", "WHAT IT DOES"]
        lines = _table([head, *(_row(catalogue.addon(name)) for name in catalogue.names)])
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


def required(schema: dict[str, Any], root: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """The keys, named as ``keys`` does, that must be there when what they stand in is."""
    schema = follow(schema, root)
    for name in schema.get("required", []):
        yield f"{prefix}{name}"
    for name, each in schema.get("properties", {}).items():
        yield from required(each, root, f"{prefix}{name}.")
        if "items" in follow(each, root):
            yield from required(follow(each, root)["items"], root, f"{prefix}{name}[].")


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
    yield from _table(rows)
    section = root["$defs"][addon.name]
    needed = set(required(section, root))
    # What is special about this add-on comes before what all of them take.
    shared = _shared(addon)
    found = list(keys(section, root))
    for title, wanted in (("KEYS OF ITS OWN", False), ("KEYS THAT EVERY ADD-ON TAKES", True)):
        yield from ("", title)
        for path, each in found:
            if bool(shared.match(path)) == wanted:
                yield from _key(path, each, is_needed=path in needed)


def _shared(addon: Addon) -> re.Pattern[str]:
    """Matches the keys that every add-on takes, for its main Deployment and under the names of the others."""
    settings = load("addon-settings")["$defs"]
    top, each = (settings[name]["properties"] for name in ("addon", "workload"))
    others = [workload.name for workload in addon.workloads[1:]]
    under = rf"(?:(?:{'|'.join(map(re.escape, others))})\.)?" if others else ""
    return re.compile(rf"(?:(?:{'|'.join([*top, *each])})|{under}(?:{'|'.join(each)}))(?![^.\[])")


def _key(path: str, schema: dict[str, Any], *, is_needed: bool) -> Iterator[str]:
    from textwrap import wrap  # only here

    default = default_of(schema)
    remarks = [_takes(schema), "required" if is_needed else "", f"default: {default}" if default else ""]
    yield f"{path}  ({', '.join(remark for remark in remarks if remark)})"
    yield from wrap(schema.get("description", ""), _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _takes(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kinds = schema.get("type", "any")
    return " or ".join(kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null")


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
