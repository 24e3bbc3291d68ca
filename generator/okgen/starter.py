"""The cluster.yaml that ``okgen init`` writes: derived from the schema, so that it says what the schema says."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from okgen.judge.schema import bundle, follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.addons.catalogue import Catalogue

_HEAD = """\
# yaml-language-server: $schema=okgen.schema.json
# $schema: okgen.schema.json
#
# The two lines above give editors completion and checks; `okgen schema > okgen.schema.json` writes that file.
# Fill in what stands in <angle brackets>, delete what you do not need, then run `okgen render {file}`.
# What is commented out shows the default, or an example where there is none.
"""
_WIDTH = 100


def starter(catalogue: Catalogue, file: str) -> str:
    """A commented cluster.yaml with a placeholder for every value that only the user knows."""
    schema = bundle(catalogue, ())
    lines = list(_mapping(schema, schema, ""))
    lines += _addons(catalogue)
    return _HEAD.replace("{file}", file) + "\n".join(lines) + "\n"


def _mapping(schema: dict[str, Any], root: dict[str, Any], indent: str) -> Iterator[str]:
    required = schema.get("required", [])
    for name, found in schema.get("properties", {}).items():
        each = follow(found, root)
        if name == "addons":
            continue
        if not indent:
            yield ""
        yield from _comment(each.get("description", ""), indent)
        yield from _entry(name, each, root, indent, wanted=name in required or "x-starter" in each)


def _entry(name: str, schema: dict[str, Any], root: dict[str, Any], indent: str, *, wanted: bool) -> Iterator[str]:
    if not wanted:
        yield from _optional(name, schema, root, indent)
    elif "const" in schema:
        yield f"{indent}{name}: {schema['const']}"
    elif schema["type"] == "object":
        yield f"{indent}{name}:"
        yield from _mapping(schema, root, f"{indent}  ")
    elif schema["type"] == "array":
        yield f"{indent}{name}:"
        first, *rest = _mapping_of_item(follow(schema["items"], root), root, f"{indent}    ")
        yield f"{indent}  - {first.lstrip()}"
        yield from rest
    else:
        yield f'{indent}{name}: "<{schema["examples"][0]}>"'


def _mapping_of_item(schema: dict[str, Any], root: dict[str, Any], indent: str) -> Iterator[str]:
    """A list's entry without comments: they would stand between the dash and its first key."""
    for name, found in schema["properties"].items():
        each = follow(found, root)
        wanted = name in schema.get("required", []) or "x-starter" in each
        yield from _entry(name, each, root, indent, wanted=wanted)


def _optional(name: str, schema: dict[str, Any], root: dict[str, Any], indent: str) -> Iterator[str]:
    nested = schema.get("properties")
    if nested and schema.get("default") == {}:
        yield f"{indent}# {name}:"
        for key, found in nested.items():
            each = follow(found, root)
            yield from _comment(each.get("description", ""), f"{indent}#   ", mark="# ")
            yield f"{indent}#   {key}: {_shown(each)}"
        return
    yield f"{indent}# {name}: {_shown(schema)}"


def _shown(schema: dict[str, Any]) -> str:
    """The default, else an example, in YAML's flow style."""
    return _flow(schema.get("default", schema.get("examples", [""])[0]))


def _flow(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    return value if isinstance(value, str) and value[:1].isalpha() else json.dumps(value)


def _comment(text: str, indent: str, mark: str = "# ") -> Iterator[str]:
    for line in wrap(text, _WIDTH - len(indent)):
        yield f"{indent}{mark}{line}"


def _addons(catalogue: Catalogue) -> Iterator[str]:
    yield ""
    yield "# The add-ons of the cluster. Present means on; nothing after the name means all defaults."
    yield "# `okgen addons NAME` lists an add-on's versions and keys."
    yield "addons:"
    for name in catalogue.names:
        definition = catalogue.addon(name).definition
        if definition["lifecycle"] == "active":
            yield f"  # {definition['summary']}"
            yield f"  {name}:"
