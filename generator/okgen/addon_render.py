"""Renders an add-on's folder into manifests; what does not depend on the cluster is rendered once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen import workload
from okgen.manifest import Manifest, distinct, labelled, manifest
from okgen.template import TemplateError

if TYPE_CHECKING:
    from okgen.cluster import Enabled
    from okgen.template import Template

_MOST_KEPT = 512


class AddonRenderer:
    """Keeps what it built, keyed by all that it was built from, for the next cluster of the run."""

    def __init__(self) -> None:
        self._built: dict[tuple[Template, str, str], list[Manifest]] = {}
        self._fixed: dict[tuple[str, str], list[Manifest]] = {}

    def manifests(self, enabled: Enabled, profile: str, minor: int) -> list[Manifest]:
        """The objects of an add-on, in the order of their files. Raises TemplateError."""
        found = list(self._same_everywhere(enabled))
        for template in enabled.addon.manifests:
            if template.is_fixed:
                continue
            settings = settings_of(enabled, template, profile, minor)
            for values in template.values(enabled.scope):
                key = (template, enabled.release.version, f"{values!r}{settings!r}")
                built = self._built.get(key)
                if built is None:
                    if len(self._built) >= _MOST_KEPT:
                        self._built.clear()  # what is one cluster's own would stay to the end of the run
                    built = self._built[key] = build(enabled, template, values, settings)
                found += built
        return distinct(sorted(found))

    def _same_everywhere(self, enabled: Enabled) -> list[Manifest]:
        """The objects whose templates ask nothing of the cluster."""
        key = (enabled.addon.name, enabled.release.version)
        if key not in self._fixed:
            fixed = [template for template in enabled.addon.manifests if template.is_fixed]
            self._fixed[key] = [each for template in fixed for each in build(enabled, template, (), None)]
        return self._fixed[key]


def settings_of(enabled: Enabled, template: Template, profile: str, minor: int) -> workload.Settings | None:
    """The settings of the workload whose Deployment a template makes. Raises TemplateError."""
    if not template.workload:
        return None
    addon = enabled.addon
    for each in addon.workloads:
        if each.name == template.workload:
            return workload.settings(addon, each, enabled.values, profile, minor)
    raise TemplateError(f"{template.file}: addon.yaml has no workload {template.workload}")


def build(
    enabled: Enabled, template: Template, values: tuple[Any, ...], settings: workload.Settings | None
) -> list[Manifest]:
    """What one tuple of values makes: the object, and the PodDisruptionBudget it may come with."""
    name, version = enabled.addon.name, enabled.release.version
    return [manifest(each) for each in finished(template.build(values), name, version, settings)]


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
