"""The objects and IAM statements of one add-on, each scalar in them with its mark."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from okgen.provenance import places
from okgen.provenance.recording import INPUT, VERSION, Read, seen
from okgen.provenance.tracing import Guard, Mark, Spot, Tracer, guarded, marked, marks, plain
from okgen.render.addon import finished, settings_of
from okgen.render.manifest import distinct, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.addons.template import Template
    from okgen.problem import Path
    from okgen.provenance.scope import Seen
    from okgen.render import workload
    from okgen.resolve.cluster import Cluster, Enabled


class Objects:
    """``files`` has the data of every object by file name; what okgen adds by itself has no marks.

    ``statements`` are those of the add-on's IAM role, in the order of its iam.yaml.
    """

    def __init__(self, enabled: Enabled, cluster: Cluster, scope: Seen) -> None:
        self._enabled, self._cluster, self._log = enabled, cluster, scope.log
        self._tracer = Tracer(scope.names, scope.log)
        self._seen = scope
        found = sorted((manifest(plain(each)), number, each) for number, each in enumerate(self._objects()))
        named = distinct([each for each, _, _ in found])
        self.files = {each.file: data for each, (_, _, data) in zip(named, found, strict=True)}
        self.statements = self._statements() if enabled.addon.statements else []

    @property
    def absent(self) -> Iterable[Read]:
        """What was read for things that are not there, because of it."""
        return self._tracer.absent

    def identity(self) -> Iterator[Mark]:
        """The marks of what the rest of the tree knows of these objects: kinds, names, namespaces, and IAM."""
        for data in self.files.values():
            metadata = data["metadata"]
            known = [data["apiVersion"], data["kind"], metadata["name"], metadata.get("namespace")]
            yield from (each for each in known if isinstance(each, Mark))
        yield from marks(self.statements)

    def _objects(self) -> Iterator[dict[str, Any]]:
        addon = self._enabled.addon
        label = Mark(addon.name, Spot(addon.file("addon.yaml"), 1, 1, "the folder's name"))
        version = Mark(self._enabled.release.version, None, (Read(VERSION, (addon.name,)),))
        names = sorted(name for name in os.listdir(os.path.join(addon.folder, "base")) if name.endswith(".yaml"))
        for name, template in zip(names, addon.manifests, strict=True):
            document = places.own(addon.file(f"base/{name}"))
            settings = self._settings(template)
            for value in self._tracer.objects(document.data, document.file, document.root):
                guards = value["kind"].guards  # what the whole object is under, the labels okgen adds included
                own = (label._replace(guards=guards), version._replace(guards=guards), settings)
                deployment, *budget = finished(value, *own)  # type: ignore[arg-type]
                if settings and settings.spread:
                    self._spread(deployment["spec"]["template"]["spec"], settings)
                yield deployment
                yield from (guarded(each, self._spread_guard(settings)) for each in budget if settings)

    def _spread(self, pod: dict[str, Any], settings: workload.Settings) -> None:
        """Says of what is there for more than one replica only that it is so, in a pod that is nobody else's."""
        key = "topologySpreadConstraints"
        pod[key] = guarded(pod[key], self._spread_guard(settings))

    def _spread_guard(self, settings: workload.Settings) -> Guard:
        reads = marks(settings.replicas)
        return Guard(None, (Read(INPUT, ("profile",)), *(read for mark in reads for read in mark.reads)))

    def _settings(self, template: Template) -> workload.Settings | None:
        """The settings of a template's Deployment, those that stand in values marked."""
        enabled, addon = self._enabled, self._enabled.addon
        known = settings_of(enabled, template, self._cluster.profile, self._cluster.minor)
        if known is None:
            return None
        each = next(one for one in addon.workloads if one.name == template.workload)
        step: Path = () if each is addon.workloads[0] else (each.name,)
        given = addon.section(each, enabled.values)

        def of(key: str) -> Any:  # noqa: ANN401 - any YAML value
            return self._values(given[key], (*step, key))

        own = each._replace(resources=self._own_resources(each.name))
        return known._replace(
            replicas=of("replicas"),
            resources=own.with_own(of("resources")),
            node_selector=of("nodeSelector"),
            tolerations=of("tolerations"),
            priority_class=of("priorityClassName") if known.priority_class else "",
            annotations=of("podAnnotations"),
        )

    def _values(self, value: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
        read = Read(INPUT, ("addons", self._enabled.addon.name, *path))
        first = () if isinstance(value, (dict, list)) else (read,)
        return marked(seen(value, read, self._log), lambda each, reads: Mark(each, None, (*first, *reads)), self._log)

    def _own_resources(self, name: str) -> dict[str, Any]:
        """The workload's own requests and limits in addon.yaml."""
        document = places.own(self._enabled.addon.file("addon.yaml"))
        path: Path = ("workloads", name, "resources")

        def each(value: Any, at: Path) -> Any:  # noqa: ANN401 - any YAML value
            if isinstance(value, dict):
                return {key: each(item, (*at, key)) for key, item in value.items()}
            return Mark(value, Spot(document.file, *document.place(at), str(value)))

        found: dict[str, Any] = each(document.data["workloads"][name]["resources"], path)
        return found

    def _statements(self) -> list[Any]:
        document = places.own(self._enabled.addon.file("iam.yaml"))
        value = self._tracer.objects(document.data, document.file, document.root)[0]
        found: list[Any] = value.get("statements", []) if isinstance(value, dict) else []
        return found
