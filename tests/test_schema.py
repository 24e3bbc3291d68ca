"""The joined schema: complete, closed, and judged alike by the fast check and by jsonschema."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rendering
from okgen.addons.catalogue import Catalogue
from okgen.commands.addons import keys
from okgen.judge import schema as okgen_schema
from okgen.judge import violations
from okgen.judge.conforms import conforms, matches
from okgen.read import source
from okgen.resolve.defaults import with_defaults

if TYPE_CHECKING:
    from collections.abc import Iterator

CATALOGUE = Catalogue()
BUNDLE = okgen_schema.bundle(CATALOGUE)
KEYWORDS = {
    *("$ref", "additionalProperties", "anyOf", "const", "default", "deprecated", "description", "enum", "examples"),
    *("items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties"),
    *("minimum", "pattern", "properties", "propertyNames", "required", "title", "type", "uniqueItems"),
}
ROOT_KEYWORDS = {"$schema", "$id", "$defs"}
CORE = {**BUNDLE, "properties": {k: v for k, v in BUNDLE["properties"].items() if k != "addons"}}
KEYS = [
    *keys(CORE, BUNDLE),
    *((f"{name}: {path}", each) for name in CATALOGUE.names for path, each in keys(BUNDLE["$defs"][name], BUNDLE)),
]


def schemas(schema: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema, with where it stands."""
    yield path, schema
    for keyword in ("properties", "$defs"):
        for name, each in schema.get(keyword, {}).items():
            yield from schemas(each, f"{path}/{keyword}/{name}")
    for keyword in ("items", "propertyNames", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from schemas(schema[keyword], f"{path}/{keyword}")
    for number, each in enumerate(schema.get("anyOf", [])):
        yield from schemas(each, f"{path}/anyOf/{number}")


ALL = list(schemas(BUNDLE))


def test_is_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(BUNDLE)


def test_uses_only_keywords_that_the_fast_check_knows() -> None:
    known = KEYWORDS | ROOT_KEYWORDS
    unknown = {(path, key) for path, each in ALL for key in each if key not in known and not key.startswith("x-")}
    assert unknown == set()


def test_every_object_is_closed() -> None:
    is_open = [path for path, each in ALL if "properties" in each and "additionalProperties" not in each]
    assert [path for path in is_open if path != "#/$defs/addon"] == []


def test_every_list_and_every_mapping_of_free_keys_is_bounded() -> None:
    # Without, an input of 1 MiB makes thousands of objects, or has its items compared pair by pair.
    free = [path for path, each in ALL if isinstance(each.get("additionalProperties"), dict)]
    lists = [path for path, each in ALL if each.get("type") == "array"]
    found = dict(ALL)
    assert [path for path in free if "maxProperties" not in found[path]] == []
    assert [path for path in lists if "maxItems" not in found[path]] == []


@pytest.mark.parametrize(("path", "schema"), KEYS, ids=[path for path, _ in KEYS])
def test_every_key_is_described_with_an_example_that_is_valid(path: str, schema: dict[str, Any]) -> None:
    assert schema.get("description", "").strip(), path
    assert schema.get("examples") or "enum" in schema or schema.get("type") == "boolean", f"{path} has no example"
    for value in [*schema.get("examples", []), *([schema["default"]] if "default" in schema else [])]:
        assert conforms(value, schema, BUNDLE), f"{path}: {value!r}"
    assert not ("default" in schema and "x-default" in schema), path


@pytest.mark.parametrize("path", [path for path, each in ALL if "pattern" in each])
def test_patterns_are_anchored_and_said_in_words(path: str) -> None:
    schema = dict(ALL)[path]
    assert schema["pattern"].startswith("^"), path
    assert schema["pattern"].endswith("$"), path
    assert "x-pattern-hint" in schema, path


def test_a_line_feed_at_the_end_does_not_slip_through_a_pattern() -> None:
    assert matches("^a$", "a")
    assert not matches("^a$", "a\n")
    assert matches(r"^a\$$", "a$")


EXAMPLES = [rendering.enabled(name) for name in CATALOGUE.names]
STRANGE: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "UPPER",
    "a b",
    "x" * 300,
    [],
    ["x", "x"],
    {},
    {"x": 1},
    {"name": []},
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in items:
        yield from places(each, (*path, key))


@given(st.data())
def test_both_judges_agree(data: st.DataObject) -> None:
    cluster: Any = copy.deepcopy(data.draw(st.sampled_from(EXAMPLES)))
    cluster["addons"] = {name: {} if each is None else each for name, each in cluster["addons"].items()}
    for name in cluster["addons"]:
        section = okgen_schema.follow(BUNDLE["$defs"][name], BUNDLE)["properties"]
        key = data.draw(st.sampled_from(sorted(section)))
        strange = [*STRANGE, *section[key].get("examples", [])]
        cluster["addons"][name][key] = copy.deepcopy(data.draw(st.sampled_from(strange)))
    path = data.draw(st.sampled_from(list(places(cluster))[1:]))
    parent = cluster
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = copy.deepcopy(data.draw(st.sampled_from(STRANGE)))
    document = source.parse(json.dumps(cluster).encode(), "cluster.yaml")
    assert conforms(cluster, BUNDLE, BUNDLE) is (violations.find(document, BUNDLE) == [])


def test_defaults_are_filled_in_below_what_is_given() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {
                "type": "object",
                "default": {},
                "properties": {"b": {"default": 1}, "c": {"x-default": "${{ two }}"}},
            },
            "l": {"type": "array", "items": {"type": "object", "properties": {"d": {"default": "x"}}}},
            "n": {"type": ["object", "null"], "properties": {"e": {"default": []}}},
            "absent": {"type": "string"},
        },
    }
    value = {"n": None, "l": [{}, {"d": "y"}]}
    filled = with_defaults(value, schema, schema, lambda text: text.strip("${} "))
    assert filled == {
        "a": {"b": 1, "c": "two"},
        "l": [{"d": "x"}, {"d": "y"}],
        "n": {"e": []},
    }
    assert list(filled) == ["a", "l", "n"]  # the schema's order, whatever the file's
    assert value == {"l": [{}, {"d": "y"}], "n": None}
