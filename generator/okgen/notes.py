"""What a render leaves for people to do, told after it: what Argo CD does not do by itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from okgen.problem import Refused, Unable
from okgen.read import source
from okgen.render.argocd import REMOVAL_WAVES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from okgen.pipeline import Rendered
    from okgen.write.plan import Plan

_APPLICATION = "argocd/application-"
_PAGE = "okgen's docs/argocd.md, Removing an add-on"


def notes(rendered: Rendered, plan: Plan) -> list[str]:
    """One line each; to be asked before the plan is applied, as the tree is compared with what will be there."""
    start = os.path.relpath(os.path.join(rendered.place.folder, "README.md"))
    found = []
    if "README.md" in plan.create and not plan.unchanged:
        found.append(f"{start} says how to start it")
    if "iam/cloudformation.yaml" in plan.update:
        found.append(f"iam/ has changed: deploy the stack again, see {start}")
    if any(path.startswith("bootstrap/") for path in plan.update):
        found.append(f"bootstrap/ has changed: apply it again, see {start}")
    gone = {path.removeprefix(_APPLICATION): path for path in plan.delete if path.startswith(_APPLICATION)}
    names = [name.removesuffix(".yaml") for name in gone]
    if names:
        found.append(f"{', '.join(names)}: Argo CD removes it when you push; first what depends on it, see {_PAGE}")
    if late := _late(plan, gone.values()):
        found.append(f"{', '.join(late)}: leave it in until the others have gone, see {_PAGE}")
    if lost := _lost(rendered, plan, names):
        found.append(f"Argo CD leaves in place what its project no longer admits ({', '.join(lost)}), see {_PAGE}")
    return found


def _before(plan: Plan, path: str) -> dict[str, Any]:
    """An object as it still stands in the tree, empty if it was edited beyond reading."""
    try:
        value = source.read(os.path.join(plan.folder, path), path).data
    except (Refused, Unable):
        return {}
    return value if isinstance(value, dict) else {}


def _late(plan: Plan, applications: Iterable[str]) -> list[str]:
    """Of add-ons that go, those whose waves come too early: one commit can empty only so many, the latest first."""
    waves: dict[int, list[str]] = {}
    for path in applications:
        metadata = _before(plan, path).get("metadata", {})
        wave = metadata.get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")
        waves.setdefault(int(wave), []).append(path.removeprefix(_APPLICATION).removesuffix(".yaml"))
    last = sorted(waves)[-len(REMOVAL_WAVES) :]
    return sorted(name for wave, names in waves.items() if wave not in last for name in names)


def _lost(rendered: Rendered, plan: Plan, gone: list[str]) -> list[str]:
    """Kinds and namespaces of objects that go or move, of add-ons that stay, which their project admits no more."""
    lost: set[str] = set()
    for path in plan.update:
        if path.startswith("argocd/appproject-"):
            after = source.parse(rendered.files[path].encode(), path).data
            lost |= _admitted(_before(plan, path)) - _admitted(after)
    if not lost:
        return []
    paths = [path.split("/") for path in (*plan.delete, *plan.update) if path.startswith("addons/")]
    objects = [_before(plan, "/".join(steps)) for steps in paths if steps[1] not in gone]
    spaces = {f"namespace {each.get('metadata', {}).get('namespace')}" for each in objects}
    return sorted(lost & ({str(each.get("kind")) for each in objects} | spaces))


def _admitted(project: Any) -> set[str]:  # noqa: ANN401 - a file that may have been edited
    spec = project.get("spec", {}) if isinstance(project, dict) else {}
    lists = ("destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist")
    entries = [entry for name in lists for entry in spec.get(name, []) if isinstance(entry, dict)]
    return {str(entry.get("kind") or f"namespace {entry.get('namespace')}") for entry in entries}
