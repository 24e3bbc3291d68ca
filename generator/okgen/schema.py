"""The JSON Schema of cluster.yaml: joined from the core's and one per add-on, judged fast, defaults filled from it.

``jsonschema`` takes longer to import than a whole cluster takes to render, so that judging a valid file, which is
nearly every file, is done here for the few keywords our schemas use; ``violations`` explains a refusal with it.
A test holds the two against one another.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from okgen import resources
from okgen.template import Names, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from okgen.catalogue import Addon, Catalogue

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


def load(name: str) -> Schema:
    """One of the files in ``schemas/``, by its name without ``.schema.json``."""
    schema: Schema = json.loads(resources.read(os.path.join(resources.folder("schemas"), f"{name}.schema.json")))
    return schema


def bundle(catalogue: Catalogue, wanted: Iterable[str] | None = None) -> Schema:
    """The schema of cluster.yaml with the sections of the add-ons named in ``wanted``, or of all. Read-only: it is kept."""
    names = tuple(name for name in catalogue.names if wanted is None or name in wanted)
    if names in catalogue.schemas:
        return catalogue.schemas[names]
    root = catalogue.schemas[names] = load("cluster")
    settings = load("addon-settings")["$defs"]
    root["$defs"].update({name: value for name, value in settings.items() if name not in ("addon", "workload")})
    sections = root["properties"]["addons"]["properties"]
    for name in names:
        addon = catalogue.addon(name)
        own = addon.schema
        sections[name] = {"$ref": f"#/$defs/{name}"}
        root["$defs"][name] = _section(addon, settings, own)
        root["$defs"].update({f"{name}.{key}": _local(value, name) for key, value in own.get("$defs", {}).items()})
    return root


def _section(addon: Addon, settings: Schema, own: Schema) -> Schema:
    """What may stand under ``addons.<name>``: the shared settings, one section a further workload, the add-on's own."""
    shared: Schema = json.loads(json.dumps(settings["addon"]["properties"]))
    shared["version"].update(enum=[each.version for each in addon.releases], examples=[addon.releases[0].version])
    shared["namespace"]["default"] = addon.definition["namespace"]["name"]
    properties = {**shared}
    mine = _local(own.get("properties", {}), addon.name)
    for number, workload in enumerate(addon.workloads):
        wanted: Schema = json.loads(json.dumps(settings["workload"]["properties"]))
        if workload.maximum:
            wanted["replicas"].update(maximum=workload.maximum, examples=[workload.maximum])
        wanted["replicas"]["x-default"] = _by_profile(workload.replicas)
        wanted["resources"]["default"] = workload.resources
        if workload.priority_class:
            wanted["priorityClassName"]["default"] = workload.priority_class
        if number == 0:
            properties.update(wanted)
            continue
        extra = mine.pop(workload.name, {})
        properties[workload.name] = {
            "description": extra.get("description", f"The Deployment {workload.deployment}."),
            "type": ["object", "null"],
            "additionalProperties": False,
            "default": {},
            "examples": extra.get("examples", [{"replicas": workload.replicas["production"]}]),
            "properties": {**wanted, **extra.get("properties", {})},
        }
    properties.update(mine)
    return {
        "title": addon.definition["title"],
        "description": addon.definition["summary"],
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
    }


def _by_profile(replicas: dict[str, int]) -> str:
    wanted = {profile: count for profile, count in replicas.items() if profile != "max"}
    return f"${{{{ {wanted!r}[cluster.profile] }}}}"


def _local(value: Any, addon: str) -> Any:  # noqa: ANN401 - any JSON
    """The same schema with its own definitions found under the joined schema's ``$defs``."""
    if isinstance(value, dict):
        renamed = {key: _local(item, addon) for key, item in value.items()}
        if isinstance(value.get("$ref"), str):
            renamed["$ref"] = value["$ref"].replace("#/$defs/", f"#/$defs/{addon}.")
        return renamed
    return [_local(item, addon) for item in value] if isinstance(value, list) else value


def follow(schema: Schema, root: Schema) -> Schema:
    """The schema itself, or what its ``$ref`` points at."""
    while "$ref" in schema:
        target = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


_patterns: dict[str, Callable[[str], object]] = {}


def matches(pattern: str, text: str) -> bool:
    """Whether a JSON Schema pattern is found. Python's ``$`` also matches before a final line feed; ours does not."""
    search = _patterns.get(pattern)
    if search is None:
        search = _patterns[pattern] = re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern)).search
    return search(text) is not None


def conforms(value: Any, schema: Schema, root: Schema) -> bool:  # noqa: ANN401 - any YAML value
    """Whether a value is valid, for the keywords that our schemas use."""
    if "$ref" in schema:
        schema = follow(schema, root)
    if "type" in schema and not _has_type(value, schema["type"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "anyOf" in schema and not any(conforms(value, each, root) for each in schema["anyOf"]):
        return False
    if isinstance(value, str):
        return _string_conforms(value, schema)
    if isinstance(value, dict):
        return _object_conforms(value, schema, root)
    if isinstance(value, list):
        return _array_conforms(value, schema, root)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _has_type(value: Any, names: str | list[str]) -> bool:  # noqa: ANN401 - any YAML value
    listed = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in listed
    return any(isinstance(value, _TYPES[name]) for name in listed)


def _string_conforms(value: str, schema: Schema) -> bool:
    return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)) and (
        "pattern" not in schema or matches(schema["pattern"], value)
    )


def _object_conforms(value: dict[str, Any], schema: Schema, root: Schema) -> bool:
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return False
    if any(key not in value for key in schema.get("required", ())):
        return False
    names = schema.get("propertyNames")
    if names is not None and not all(conforms(key, names, root) for key in value):
        return False
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for key, item in value.items():
        expected = known.get(key, others)
        if expected is False or (expected is not True and not conforms(item, expected, root)):
            return False
    return True


def _array_conforms(value: list[Any], schema: Schema, root: Schema) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    if schema.get("uniqueItems") and any(item in value[:number] for number, item in enumerate(value)):
        return False
    return "items" not in schema or all(conforms(item, schema["items"], root) for item in value)


def with_defaults(value: Any, schema: Schema, root: Schema, derive: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    """A copy with every default filled in, its mappings as Names; ``derive`` gives the value of an ``x-default``."""
    schema = follow(schema, root)
    if value is None and "object" in schema.get("type", ()):
        value = {}
    if isinstance(value, dict):
        known = schema.get("properties")
        if not known:
            return named(value)
        filled = Names()
        for key, item in value.items():
            filled[key] = with_defaults(item, known[key], root, derive) if key in known else named(item)
        for key, each in known.items():
            if key not in filled:
                expected = follow(each, root)
                if "default" in expected:
                    filled[key] = with_defaults(expected["default"], expected, root, derive)
                elif "x-default" in expected:
                    filled[key] = with_defaults(derive(expected["x-default"]), expected, root, derive)
        return filled
    if isinstance(value, list) and "items" in schema:
        return [with_defaults(item, schema["items"], root, derive) for item in value]
    return value
