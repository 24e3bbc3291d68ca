"""What a render leaves for people to do, told after it: what Argo CD does not do by itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from okgen import source
from okgen.problem import Refused, Unable

if TYPE_CHECKING:
    from okgen.pipeline import Rendered
    from okgen.plan import Plan

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
    gone = [path for path in plan.delete if path.startswith("argocd/application-")]
    lost = [] if gone else _lost(rendered, plan)
    if gone:
        names = ", ".join(path.removeprefix("argocd/application-").removesuffix(".yaml") for path in gone)
        found.append(f"{names}: delete the Application in Argo CD before you push, see {_PAGE}")
    if lost:
        found.append(f"Argo CD leaves in place what its project no longer admits ({', '.join(lost)}), see {_PAGE}")
    return found


def _lost(rendered: Rendered, plan: Plan) -> list[str]:
    """Kinds and namespaces that the add-ons' project admitted before and does not admit any more."""
    found: list[str] = []
    for path in plan.update:
        if path.startswith("argocd/appproject-"):
            try:
                before = source.read(os.path.join(plan.folder, path), path).data
            except (Refused, Unable):
                continue  # edited beyond reading, and now overwritten by force
            after = source.parse(rendered.files[path].encode(), path).data
            found += sorted(_admitted(before) - _admitted(after))
    return found


def _admitted(project: Any) -> set[str]:  # noqa: ANN401 - a file that may have been edited
    spec = project.get("spec", {}) if isinstance(project, dict) else {}
    lists = ("destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist")
    entries = [entry for name in lists for entry in spec.get(name, []) if isinstance(entry, dict)]
    return {str(entry.get("kind") or f"namespace {entry.get('namespace')}") for entry in entries}
