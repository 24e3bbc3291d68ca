"""The JSON Schema of cluster.yaml, joined from the core's and one per add-on."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from okgen import resources

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.addons.catalogue import Addon, Catalogue

Schema = dict[str, Any]


def load(name: str) -> Schema:
    """One of the files in ``schemas/``, by its name without ``.schema.json``."""
    schema: Schema = json.loads(resources.read(os.path.join(resources.folder("schemas"), f"{name}.schema.json")))
    return schema


def bundle(catalogue: Catalogue, wanted: Iterable[str] | None = None) -> Schema:
    """The schema of cluster.yaml with the sections of the add-ons named in ``wanted``, or of all.

    It is kept for the run, so it is not to be changed.
    """
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
            description = "How many pods. It has no leader election, so that more than one would race."
            wanted["replicas"].update(maximum=workload.maximum, examples=[workload.maximum], description=description)
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
