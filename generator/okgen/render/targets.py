"""Which of the rendered objects the users' patches select, and whether they fit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.read import source
from okgen.resolve.jsonpatch import PatchError, applied
from okgen.resolve.selector import SelectorError, labels_match, pattern_matches

if TYPE_CHECKING:
    from okgen.problem import Path, Problem
    from okgen.read.source import Document
    from okgen.render.manifest import Manifest
    from okgen.resolve.cluster import Enabled, Patch


def unmatched(document: Document, enabled: Enabled, manifests: list[Manifest]) -> list[Problem]:
    """A problem for each patch of an add-on whose target selects none of the objects that were rendered."""
    problems = []
    addon = enabled.addon.name
    for patch in enabled.patches:
        path: Path = ("addons", addon, "patches", patch.number, "target")
        try:
            matched = [manifest for manifest in manifests if selects(patch.target, manifest)]
            _try_on(patch, matched)
        except (SelectorError, PatchError) as error:
            problems.append(document.problem("OKG322", path, str(error)))
            continue
        if not matched:
            wanted = ", ".join(f"{key} {value}" for key, value in patch.target.items())
            same_kind = sorted({m.name for m in manifests if m.kind == patch.target.get("kind", m.kind)})
            kinds = sorted({manifest.kind for manifest in manifests})
            known = (
                f"{patch.target.get('kind')} there is: {', '.join(same_kind)}"
                if same_kind
                else f"kinds: {', '.join(kinds)}"
            )
            problems.append(
                document.problem("OKG321", path, f"the patch matches nothing that {addon} renders ({wanted})", known)
            )
    return problems


def _try_on(patch: Patch, manifests: list[Manifest]) -> None:
    """Raises PatchError when Kustomize could not apply a JSON patch to one of the objects it selects."""
    operations = source.parse(patch.text.encode(), "").data
    for manifest in manifests if isinstance(operations, list) else []:
        if manifest.text:
            try:
                applied(source.parse(manifest.text.encode(), manifest.file).data, operations)
            except PatchError as error:
                raise PatchError(f"the patch does not fit {manifest.kind} {manifest.name}: {error}") from None


def selects(target: dict[str, str], manifest: Manifest) -> bool:
    """Whether Kustomize takes an object for one that a target means. Raises SelectorError."""
    group, _, version = manifest.api_version.rpartition("/")
    found = {
        "group": group,
        "version": version,
        "kind": manifest.kind,
        "name": manifest.name,
        "namespace": manifest.namespace,
    }
    return (
        all(pattern_matches(target[key], value) for key, value in found.items() if target.get(key))
        and _fits(target.get("labelSelector"), manifest.labels)
        and _fits(target.get("annotationSelector"), manifest.annotations)
    )


def _fits(selector: str | None, labels: dict[str, str]) -> bool:
    return not selector or labels_match(selector, labels)
