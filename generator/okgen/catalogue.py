"""The add-ons okgen has: each is one folder under ``overlays/``, read when first asked for; nothing else lists them."""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from okgen import resources, source
from okgen.template import DIRECTIVES, Template, compile_template, new_scope

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


class Addon:
    """One folder under ``overlays/``. Its parts are read when first used, as most runs need only some of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = os.path.join(resources.folder("overlays"), name)
        self.definition: dict[str, Any] = self._yaml("addon.yaml").data
        self.releases = tuple(_release(each) for each in self.definition["versions"])
        self.workloads = tuple(_workload(key, each) for key, each in self.definition.get("workloads", {}).items())
        self._schema: dict[str, Any] | None = None
        self._manifests: tuple[Template, ...] | None = None
        self._checks: tuple[tuple[dict[str, Any], Template], ...] | None = None
        self._statements: Template | None = None
        self._derived: tuple[tuple[str, Template], ...] | None = None

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the keys that only this add-on has."""
        if self._schema is None:
            self._schema = json.loads(resources.read(os.path.join(self.folder, "values.schema.json")))
        return self._schema

    @property
    def manifests(self) -> tuple[Template, ...]:
        """The templates of ``base/``, by file name. Raises TemplateError."""
        if self._manifests is None:
            names = sorted(os.listdir(os.path.join(self.folder, "base")))
            self._manifests = tuple(self._template(f"base/{name}") for name in names if name.endswith(".yaml"))
        return self._manifests

    @property
    def statements(self) -> Template | None:
        """The IAM statements, for add-ons that call AWS. Raises TemplateError."""
        if self._statements is None and os.path.exists(os.path.join(self.folder, "iam.yaml")):
            self._statements = self._template("iam.yaml")
        return self._statements

    @property
    def checks(self) -> tuple[tuple[dict[str, Any], Template], ...]:
        """What a schema cannot say: (code and severity, template of place, message and help). Raises TemplateError."""
        if self._checks is None:
            self._checks = tuple(self._check(each) for each in self.definition.get("checks", []))
        return self._checks

    @property
    def derived(self) -> tuple[tuple[str, Template], ...]:
        """What several templates of the folder need, by the name under ``own``. Raises TemplateError."""
        if self._derived is None:
            entries = self.definition.get("derived", {})
            self._derived = tuple(
                (name, compile_template(entry, self.file("addon.yaml"))) for name, entry in entries.items()
            )
        return self._derived

    @property
    def identity(self) -> dict[str, Any] | None:
        """Which ServiceAccount calls AWS, and how; None for add-ons that never do."""
        return self.definition.get("identity")

    def release(self, version: str) -> Release:
        """The release of that version, which the schema has checked to be one of ours."""
        return next(each for each in self.releases if each.version == version)

    def file(self, name: str) -> str:
        """How a file of this folder is named in messages."""
        return f"overlays/{self.name}/{name}"

    def _yaml(self, name: str) -> source.Document:
        return source.parse(resources.read(os.path.join(self.folder, name)), self.file(name))

    def _template(self, name: str) -> Template:
        document = self._yaml(name)
        return compile_template(document.data, document.file, document.root)

    def _check(self, check: dict[str, Any]) -> tuple[dict[str, Any], Template]:
        guard = {key: check[key] for key in ("when", "forEach") if key in check}
        text = {key: check.get(key, "") for key in ("at", "message", "help")}
        return check, compile_template({DIRECTIVES: guard, **text}, self.file("addon.yaml"))


class Catalogue:
    """The add-ons of one run, each read at most once."""

    def __init__(self) -> None:
        self._read: dict[str, Addon] = {}
        self._names: list[str] | None = None

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


def default_value(value: Any, file: str, names: dict[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
    """A default that is derived from other values (``x-default``). Raises TemplateError."""
    return evaluate(compile_template(value, file), new_scope(names))


def _release(entry: dict[str, Any]) -> Release:
    kubernetes = entry["kubernetes"]
    first, last = kubernetes["tested"]
    return Release(
        version=entry["version"],
        minimum=minor(kubernetes["min"]),
        maximum=minor(kubernetes["max"]) if "max" in kubernetes else None,
        tested=(minor(first), minor(last)),
        images=entry["images"],
        crds=tuple(_crds(each, entry["version"]) for each in entry.get("crds", [])),
        facts=entry.get("facts", {}),
    )


def _crds(entry: dict[str, Any], version: str) -> Crds:
    return Crds(
        file=entry["file"],
        url=entry["url"],
        sha256=entry["sha256"],
        names=entry["names"],
        server_side_apply=entry.get("serverSideApply", False),
        when=compile_template(entry["when"], f"crds of {version}") if "when" in entry else None,
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
