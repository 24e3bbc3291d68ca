"""From what an expression read to the places it comes from: lines of cluster.yaml, defaults, facts of a version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.addons.catalogue import compiled, evaluate
from okgen.judge.schema import follow
from okgen.provenance import places
from okgen.provenance.cause import ABSENT, DEFAULT, DERIVED, GIVEN, RELEASE, Cause
from okgen.provenance.recording import FACT, IDENTITY, IMAGE, INPUT, OWN, PARTITION, VERSION, Log, Read, SeenScope, seen
from okgen.provenance.scope import Seen
from okgen.provenance.tracing import Mark, Tracer, marks
from okgen.resolve.identity import FOLLOWS
from okgen.resolve.registry import Mirrors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.judge.schema import Schema
    from okgen.problem import Path
    from okgen.read.source import Document
    from okgen.resolve.cluster import Cluster, Enabled


class _Default(NamedTuple):
    """Where a value comes from that cluster.yaml does not give: the key with the default, and what that read."""

    at: Path
    keyword: str
    text: str
    reads: tuple[Read, ...]
    description: str = ""


class Origins:
    """The origins of what the expressions of one cluster's render read; ``schema`` is that of its cluster.yaml."""

    def __init__(self, document: Document, cluster: Cluster, schema: Schema) -> None:
        self.document, self.cluster, self._schema = document, cluster, schema
        self.log = Log()
        self.seen = {enabled.addon.name: Seen(enabled, self.log) for enabled in cluster.addons}
        self.enabled = {enabled.addon.name: enabled for enabled in cluster.addons}
        self._known: dict[Read, tuple[Cause, ...]] = {}
        self._defaults: dict[Path, Any] = {}

    def causes(self, reads: Iterable[Read], *, is_condition: bool = False) -> list[Cause]:
        """The causes of what was read, each once, in order."""
        found: dict[Cause, None] = {}
        for read in reads:
            if read not in self._known:
                self._known[read] = tuple(self._of(read))
            found.update(dict.fromkeys(self._known[read]))
        # An item of a default and the whole of it stand in one place: the item says more.
        last = {each[:4]: each for each in found if each.kind == DEFAULT}
        kept = [each for each in found if last.get(each[:4], each) == each]
        return [each._replace(is_condition=True) if is_condition else each for each in kept]

    def _of(self, read: Read) -> list[Cause]:
        if read.kind == INPUT:
            return [self.input(read.path, whole=read.whole)]
        if read.kind == PARTITION:
            return [self._partition(str(read.path[0]))]
        return self._of_addon(read, self.enabled[str(read.path[0])])

    def _of_addon(self, read: Read, addon: Enabled) -> list[Cause]:
        if read.kind == OWN:
            name = str(read.path[1])
            return [
                self._fact(DERIVED, addon, ("derived", name), self.causes(self.seen[addon.addon.name].derived[name]))
            ]
        if read.kind == IDENTITY:
            return [self._identity(addon, str(read.path[1]))]
        if read.kind == VERSION:
            return self._version(addon)
        if read.kind == IMAGE:
            return self._image(addon, str(read.path[1]))
        assert read.kind == FACT
        return [self._release(addon, ("facts", *read.path[1:]))]

    def input(self, path: Path, *, whole: bool = False) -> Cause:
        """The cause of a value of cluster.yaml, given there or not."""
        default = self._default(path)
        if default is None:
            line, column = self.document.place(path, key=whole)
            text = "which there are" if whole else _said(_at(self.document.data, path))
            return Cause(GIVEN, self.document.file, line, column, path, text)
        if not default.keyword:
            line, column = self.document.place(path)
            return Cause(ABSENT, self.document.file, line, column, path, "not given")
        file, place = self._place_of(default.at)
        inside = (*place, default.keyword)
        line, column = file.place(inside if default.keyword in _at_or_empty(file.data, place) else place)
        below = tuple(self.causes(default.reads))
        return Cause(DEFAULT, file.file, line, column, path, default.text, below=below, note=default.description)

    def _default(self, path: Path) -> _Default | None:
        """None for what cluster.yaml gives; without a keyword what nothing gives."""
        schema, value = self._schema, self.document.data
        found: _Default | None = None

        def said(schema: Schema) -> str:
            return str(schema.get("description", ""))

        for number, step in enumerate(path, start=1):
            schema = _below(follow(schema, self._schema), step)
            if _has(value, step):
                value = value[step]
            elif "x-default" in (given := follow(schema, self._schema)):
                value, reads = self._derived(path[:number], given["x-default"])
                found = _Default(path[:number], "x-default", str(given["x-default"]), reads, said(given))
            elif "default" in given:
                value = given["default"]
                found = _Default(path[:number], "default", "", (), said(given))
            else:
                return _Default(path[:number], "", "", ())
        if isinstance(value, Mark):
            assert found
            return found._replace(reads=value.reads)
        return found if found is None or found.keyword == "x-default" else found._replace(text=_said(value))

    def _derived(self, path: Path, expression: str) -> tuple[Any, tuple[Read, ...]]:
        """The marked value of a derived default, and all it read."""
        if path not in self._defaults:
            scope = self._core() if path[0] != "addons" else self.seen[str(path[1])].names
            file = "schemas/cluster.schema.json"
            tracer = Tracer(SeenScope(scope, scope.reads, self.log), self.log)
            value = tracer.objects(expression, file, None)[0]
            self._defaults[path] = value, tuple(dict.fromkeys(read for mark in marks(value) for read in mark.reads))
        found: tuple[Any, tuple[Read, ...]] = self._defaults[path]
        return found

    def _core(self) -> SeenScope:
        data = self.document.data
        reads = {key: Read(INPUT, (key,)) for key in data}
        names = {
            key: value if not isinstance(value, (dict, list)) else seen(value, reads[key], self.log)
            for key, value in data.items()
        }
        return SeenScope(names, reads, self.log)

    def _place_of(self, path: Path) -> tuple[Document, Path]:
        if path[0] != "addons":
            return places.of_default(None, path)
        file, place = places.of_default(self.enabled[str(path[1])].addon, path[2:])
        if place[-1:] == ("replicas",):
            place = (*place, self.cluster.profile)
        return file, place

    def _partition(self, key: str) -> Cause:
        file = places.own("schemas/partitions.json")
        place = ("partitions", self.cluster.partition, *([] if key == "name" else [key]))
        line, column = file.place(place, key=key == "name")
        text = self.cluster.partition if key == "name" else self.cluster.dns_suffix
        return Cause(DERIVED, file.file, line, column, place, text, below=(self.input(("aws", "region")),))

    def conditions(self, enabled: Enabled) -> Iterator[Read]:
        """What decides about upstream's CRDs and the IAM role of an add-on."""
        names = self.seen[enabled.addon.name].names
        when = (enabled.addon.identity or {}).get("when")
        templates = [crds.when for crds in enabled.release.crds if crds.when]
        templates += [compiled(when, enabled.addon.file("addon.yaml"))] if when else []
        for template in templates:
            yield from self.log.of(lambda each=template: each.values(names))[1]  # type: ignore[misc]

    def crds(self, enabled: Enabled, url: str) -> list[Cause]:
        """Why upstream's CRDs are taken from there; nothing for what is none of them."""
        number = next((number for number, crds in enumerate(enabled.release.crds) if crds.url == url), None)
        if number is None:
            return []
        when = enabled.release.crds[number].when
        _, reads = self.log.of(lambda: when and when.values(self.seen[enabled.addon.name].names))
        return [self._release(enabled, ("crds", number, "url")), *self.causes(reads, is_condition=True)]

    def _identity(self, enabled: Enabled, key: str) -> Cause:
        wanted = enabled.addon.definition.get("identity", {})
        below = [] if key == "mode" and len(wanted.get("modes", [])) == 1 else list(map(self.input, FOLLOWS[key]))
        if "when" in wanted:
            template = compiled(wanted["when"], enabled.addon.file("addon.yaml"))
            _, reads = self.log.of(lambda: evaluate(template, self.seen[enabled.addon.name].names))
            below += self.causes(reads, is_condition=True)
        name = key if key in wanted else "modes" if key == "mode" else ""
        cause = self._fact(DERIVED, enabled, ("identity", name) if name else ("identity",), below)
        return cause._replace(text=f"identity.{key}: {_said(enabled.scope['identity'][key])}")

    def _version(self, enabled: Enabled) -> list[Cause]:
        """What chose the version: cluster.yaml, or the first in addon.yaml that fits the cluster."""
        path = ("addons", enabled.addon.name, "version")
        if "version" in enabled.values:
            return [self.input(path)]
        return [self._release(enabled, ("version",))]

    def _release(self, enabled: Enabled, path: Path) -> Cause:
        below = (
            [self.input(("addons", enabled.addon.name, "version"))]
            if "version" in enabled.values
            else [self.input(("kubernetesVersion",))]
        )
        number = enabled.addon.releases.index(enabled.release)
        return self._fact(RELEASE, enabled, ("versions", number, *path), below)

    def _image(self, enabled: Enabled, name: str) -> list[Cause]:
        registries = self.document.data.get("images", {}).get("registries", {})
        prefix = Mirrors(registries).prefix_of(enabled.release.images[name])
        mirrored = [self.input(("images", "registries", prefix))] if prefix else []
        return [self._release(enabled, ("images", name)), *mirrored]

    def _fact(self, kind: str, enabled: Enabled, path: Path, below: Iterable[Cause]) -> Cause:
        file = places.own(enabled.addon.file("addon.yaml"))
        line, column = file.place(path)
        return Cause(kind, file.file, line, column, path, _said(_at(file.data, path)), below=tuple(below))


def _below(schema: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        found: Schema = schema.get("items", {})
        return found
    known: Schema = schema.get("properties", {})
    if step in known:
        return known[step]  # type: ignore[no-any-return]
    further = schema.get("additionalProperties")
    return further if isinstance(further, dict) else {}


def _has(value: Any, step: str | int) -> bool:  # noqa: ANN401 - any YAML value
    if isinstance(step, int):
        return isinstance(value, list) and step < len(value)
    return isinstance(value, dict) and step in value


def _at(data: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
    for step in path:
        data = data[step]
    return data


def _at_or_empty(data: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
    found = _at(data, path)
    return found if isinstance(found, dict) else {}


def _said(value: Any) -> str:  # noqa: ANN401 - any YAML value
    """A value as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
