"""Renders an add-on's folder into manifests; what does not depend on the cluster is rendered once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.addons.template import TemplateError, new_scope
from okgen.emit import dump
from okgen.form import Formed, joined, split
from okgen.render import workload
from okgen.render.manifest import Manifest, distinct, head, labelled, manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from okgen.addons.catalogue import Addon, Workload
    from okgen.addons.template import Template
    from okgen.form import Shape
    from okgen.resolve.cluster import Enabled

_MOST_KEPT = 512
_HEADS = object()  # in a key, where it is that of manifests without their texts
# What templates see beside a cluster's own facts; those that see nothing else make the same for many clusters.
_SHARED = frozenset(("values", "namespace", "version", "release", "image", *new_scope({})))


class _Group(NamedTuple):
    """Templates that see nothing of a cluster but these of the add-on's values, its version, namespace and images."""

    keys: tuple[str, ...]
    templates: tuple[Template, ...]


class _Parts(NamedTuple):
    """The templates of an add-on: those that make the same for all clusters with the same values, and the others.

    ``settings`` are the keys of the values that the settings of a template's Deployment come from.
    """

    groups: tuple[_Group, ...]
    others: tuple[Template, ...]
    settings: dict[Template, tuple[str, ...]]


class AddonRenderer:
    """Keeps what it built, keyed by all that it was built from, for the next cluster of the run."""

    def __init__(self) -> None:
        self._parts: dict[str, _Parts] = {}
        self._built: dict[tuple[object, ...], list[Manifest]] = {}
        # Which strings are in the heads of a kind's objects; None where one was built, as there may never be another.
        self._slots: dict[tuple[object, Shape], tuple[int, ...] | None] = {}

    def manifests(self, enabled: Enabled, profile: str, minor: int) -> list[Manifest]:
        """The objects of an add-on, in the order of their files. Raises TemplateError."""
        addon = enabled.addon
        parts = self._parts.get(addon.name)
        if parts is None:
            parts = self._parts[addon.name] = _parts(enabled)
        images = tuple(map(enabled.scope["image"], enabled.release.images))
        about = (addon.name, enabled.release.version, enabled.namespace, images, profile, minor)
        found: list[Manifest] = []
        for number, group in enumerate(parts.groups):
            key = (number, about, f"{[enabled.values.get(name) for name in group.keys]!r}")
            built = self._built.get(key)
            if built is None:
                each = [self._own(enabled, template, parts, profile, minor) for template in group.templates]
                built = self._keep(key, [manifest for manifests in each for manifest in manifests])
            found += built
        for template in parts.others:
            found += self._own(enabled, template, parts, profile, minor)
        return distinct(sorted(found))

    def _own(self, enabled: Enabled, template: Template, parts: _Parts, profile: str, minor: int) -> list[Manifest]:
        """The objects of one template."""
        keys = parts.settings[template]
        settings = (profile, minor, f"{[enabled.values.get(key) for key in keys]!r}") if keys else ()
        found: list[Manifest] = []
        about = (template, enabled.release.version, settings)
        for values in template.values(enabled.scope):
            shape, strings = split(values)

            def make(strings: Sequence[str], shape: Shape = shape) -> list[dict[str, Any]]:
                value = template.build(joined(shape, iter(strings)))
                chosen = settings_of(enabled, template, profile, minor)
                return finished(value, enabled.addon.name, enabled.release.version, chosen)

            kind = (about, shape)
            key = (kind, *strings)
            built = self._built.get(key)
            if built is None:
                built = self._keep(key, self._build(kind, strings, make))
            found += built
        return found

    def _build(
        self, kind: tuple[object, Shape], strings: list[str], make: Callable[[Sequence[str]], list[dict[str, Any]]]
    ) -> list[Manifest]:
        """What one tuple of values makes, taken apart: the object, and the PodDisruptionBudget it may come with."""

        def form(number: int, value: dict[str, Any] | None = None) -> Formed:
            return Formed((*kind, number), strings, lambda given: make(given)[number], value)

        if kind in self._slots:
            slots = self._slots[kind]
            if slots is None:
                slots = self._slots[kind] = Formed(kind, strings, make).slots(lambda values: [*map(head, values)])
            key = (kind, _HEADS, *map(strings.__getitem__, slots))
            heads = self._built.get(key) or self._keep(key, [*map(head, make(strings))])
            return [each._replace(text=dump(form(number))) for number, each in enumerate(heads)]
        self._slots[kind] = None
        return [manifest(value, form(number, value)) for number, value in enumerate(make(strings))]

    def _keep(self, key: tuple[object, ...], built: list[Manifest]) -> list[Manifest]:
        if len(self._built) >= _MOST_KEPT:
            self._built.clear()  # what is one cluster's own would stay to the end of the run
            self._slots.clear()
        self._built[key] = built
        return built


def _parts(enabled: Enabled) -> _Parts:
    addon = enabled.addon
    own = enabled.scope.keys() - _SHARED
    groups: dict[tuple[str, ...], list[Template]] = {}
    others = []
    settings: dict[Template, tuple[str, ...]] = {}
    for template in addon.manifests:
        found = _workload(addon, template)
        settings[template] = workload.keys(addon, found) if found else ()
        keys = None if template.mentions(own) else template.keys_of("values")
        if keys is None:
            others.append(template)
        else:
            groups.setdefault(tuple(sorted({*keys, *settings[template]})), []).append(template)
    return _Parts(tuple(_Group(keys, tuple(each)) for keys, each in groups.items()), tuple(others), settings)


def _workload(addon: Addon, template: Template) -> Workload | None:
    if not template.workload:
        return None
    for each in addon.workloads:
        if each.name == template.workload:
            return each
    raise TemplateError(f"{template.file}: addon.yaml has no workload {template.workload}")


def settings_of(enabled: Enabled, template: Template, profile: str, minor: int) -> workload.Settings | None:
    """The settings of the workload whose Deployment a template makes. Raises TemplateError."""
    found = _workload(enabled.addon, template)
    return workload.settings(enabled.addon, found, enabled.values, profile, minor) if found else None


def finished(
    value: dict[str, Any], name: str, version: str, settings: workload.Settings | None
) -> list[dict[str, Any]]:
    """An object of a template with what all get alike; scalars are only put in their places, whatever they are."""
    value = labelled(value, name, version)
    if settings is None:
        return [value]
    pod = labelled(value["spec"]["template"], name, version)
    value = workload.apply({**value, "spec": {**value["spec"], "template": pod}}, settings)
    return [value, *([workload.disruption_budget(value, settings.budget_api)] if settings.spread else [])]
