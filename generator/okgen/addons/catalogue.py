"""The add-ons okgen has: each is one folder under ``overlays/``, read when first asked for; nothing else lists them."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from okgen import resources
from okgen.addons import precompiled
from okgen.addons.compiling import compile_template
from okgen.addons.template import Template, named

Minor = int  # the 34 of Kubernetes 1.34


class Crds(NamedTuple):
    """A file of CustomResourceDefinitions: pinned by URL and SHA-256, never shipped with okgen."""

    file: str
    url: str
    sha256: str
    names: dict[str, list[str]]  # name of the CustomResourceDefinition -> its short names
    server_side_apply: bool
    when: Template | None

    def wanted(self, scope: dict[str, Any]) -> bool:
        """Whether this cluster needs the file."""
        return self.when is None or bool(self.when.values(scope)[0][0])


class Release(NamedTuple):
    """A version of an add-on that okgen can render. ``tested`` is upstream's range of Kubernetes minors."""

    version: str
    minimum: Minor
    maximum: Minor | None
    tested: tuple[Minor, Minor]
    images: dict[str, str]
    crds: tuple[Crds, ...]
    facts: dict[str, Any]

    def fits(self, minor: Minor) -> bool:
        """Whether this version runs on that Kubernetes minor."""
        return self.minimum <= minor and (self.maximum is None or minor <= self.maximum)


class Workload(NamedTuple):
    """A Deployment of an add-on; ``replicas`` by profile, ``maximum`` where more would race."""

    name: str
    deployment: str
    replicas: dict[str, int]
    maximum: int | None
    resources: dict[str, Any]
    priority_class: str

    def with_own(self, given: dict[str, Any]) -> dict[str, Any]:
        """Its own requests and limits with those given put over them, resource by resource."""
        own = self.resources
        merged = {kind: {**own.get(kind, {}), **given.get(kind, {})} for kind in ("requests", "limits")}
        return {kind: amounts for kind, amounts in merged.items() if amounts}


class Addon:
    """One folder under ``overlays/``: its definition and its templates, in the form in which they are used."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = os.path.join(resources.folder("overlays"), name)
        parts = precompiled.load(self.folder, self.file(""))
        self.definition: dict[str, Any] = parts["definition"]
        self.releases = tuple(_release(each, self.file("addon.yaml")) for each in self.definition["versions"])
        self.workloads = tuple(_workload(key, each) for key, each in self.definition.get("workloads", {}).items())
        self.manifests = tuple(Template(*each) for each in parts["manifests"])
        # What a schema cannot say: makes a list of findings with code, severity, place, message and help.
        self.checks = Template(*parts["checks"])
        # What no other cluster of a run may claim as well: makes a list of claims.
        self.exclusive = Template(*parts["exclusive"])
        # What several templates of the folder need, by the name under `own`.
        self.derived = tuple((key, Template(*each)) for key, each in parts["derived"])
        # The IAM statements of add-ons that call AWS.
        self.statements = Template(*parts["statements"]) if parts["statements"] else None

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the keys that only this add-on has."""
        schema: dict[str, Any] = json.loads(resources.read(os.path.join(self.folder, "values.schema.json")))
        return schema

    @property
    def identity(self) -> dict[str, Any] | None:
        """Which ServiceAccount calls AWS, and how; None for add-ons that never do."""
        return self.definition.get("identity")

    def release(self, version: str) -> Release:
        """The release of that version, which the schema has checked to be one of ours."""
        return next(each for each in self.releases if each.version == version)

    def section(self, workload: Workload, values: dict[str, Any]) -> dict[str, Any]:
        """Where the settings of a workload stand: at the top of the values for the main one, else under its name."""
        found: dict[str, Any] = values if workload is self.workloads[0] else values[workload.name]
        return found

    def file(self, name: str) -> str:
        """How a file of this folder is named in messages."""
        return f"overlays/{self.name}/{name}"


class Catalogue:
    """The add-ons of one run, each read at most once."""

    def __init__(self) -> None:
        self._read: dict[str, Addon] = {}
        self._names: list[str] | None = None
        self.schemas: dict[tuple[str, ...], dict[str, Any]] = {}  # joined schemas, by the add-ons in them

    @property
    def names(self) -> list[str]:
        """Every add-on okgen has, sorted."""
        if self._names is None:
            root = resources.folder("overlays")
            found = os.listdir(root)
            self._names = sorted(name for name in found if os.path.exists(os.path.join(root, name, "addon.yaml")))
        return self._names

    def addon(self, name: str) -> Addon:
        """The add-on of that name, which must be one of ``names``."""
        if name not in self._read:
            self._read[name] = Addon(name)
        return self._read[name]


def minor(version: str) -> Minor:
    """The 34 of ``"1.34"``."""
    return int(version.partition(".")[2])


def evaluate(template: Template, scope: dict[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
    """The single value a template has in this scope. Raises TemplateError."""
    return template.fill(scope)[0]


_compiled: dict[tuple[str, str], Template] = {}


def compiled(value: Any, file: str) -> Template:  # noqa: ANN401 - any YAML value
    """The template of a value without places, compiled once a run. Raises TemplateError."""
    key = (file, repr(value))
    if key not in _compiled:
        _compiled[key] = compile_template(value, file)
    return _compiled[key]


def _release(entry: dict[str, Any], file: str) -> Release:
    kubernetes = entry["kubernetes"]
    first, last = kubernetes["tested"]
    return Release(
        version=entry["version"],
        minimum=minor(kubernetes["min"]),
        maximum=minor(kubernetes["max"]) if "max" in kubernetes else None,
        tested=(minor(first), minor(last)),
        images=entry["images"],
        crds=tuple(_crds(each, file) for each in entry.get("crds", [])),
        facts=named(entry.get("facts", {})),
    )


def _crds(entry: dict[str, Any], file: str) -> Crds:
    return Crds(
        file=entry["file"],
        url=entry["url"],
        sha256=entry["sha256"],
        names=entry["names"],
        server_side_apply=entry.get("serverSideApply", False),
        when=compiled(entry["when"], file) if "when" in entry else None,
    )


def _workload(name: str, entry: dict[str, Any]) -> Workload:
    replicas = entry["replicas"]
    return Workload(
        name=name,
        deployment=entry["deployment"],
        replicas=replicas,
        maximum=replicas.get("max"),
        resources=entry["resources"],
        priority_class=entry.get("priorityClassName", ""),
    )
