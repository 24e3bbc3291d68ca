"""The upstream files that okgen pins but does not ship, found by their digest in ../shared/upstream."""

from __future__ import annotations

import functools
import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

import yaml

import rendering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@functools.cache
def pins() -> dict[str, str]:
    """SHA-256 of every CRD file that some add-on pins, by URL."""
    return {
        crds["url"]: crds["sha256"]
        for path in sorted(rendering.OVERLAYS.glob("*/addon.yaml"))
        for release in definition(path.parent.name)["versions"]
        for crds in release.get("crds", [])
    }


def definition(addon: str) -> dict[str, Any]:
    """What an add-on's folder says it is."""
    found: dict[str, Any] = rendering.load((rendering.OVERLAYS / addon / "addon.yaml").read_text(encoding="utf-8"))
    return found


@functools.cache
def _by_digest() -> dict[str, Path]:
    files = rendering.shared("upstream").rglob("*.yaml")
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in files}


def file(url: str) -> Path:
    """The file that a pinned URL stands for, by its digest; the test is skipped, loudly, where it is not at hand."""
    digest = pins()[url]
    if digest not in _by_digest():
        rendering.unavailable(f"{url} is not among the files of shared/upstream", f"add it there (sha256 {digest})")
    return _by_digest()[digest]


def urls(text: str) -> list[str]:
    """The URLs that a kustomization lists as resources."""
    return re.findall(r"^\s*- [\"']?(https://[^\s\"']+)", text, flags=re.MULTILINE)


def crds(tree: dict[str, str]) -> list[Path]:
    """The files of CustomResourceDefinitions that a rendered tree refers to by URL."""
    return [
        file(url) for path, text in sorted(tree.items()) if path.endswith("kustomization.yaml") for url in urls(text)
    ]


def definitions(files: list[Path]) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions in these files."""
    documents = [each for path in files for each in yaml.load_all(path.read_text(encoding="utf-8"), rendering.Loader)]
    return [each for each in documents if each and each.get("kind") == "CustomResourceDefinition"]


def vendor(cluster: Path, root: Path) -> None:
    """Lays what `okgen vendor` would fetch for the add-ons of a cluster.yaml below ``root``, from the files at hand."""
    from okgen.progress import Lines
    from okgen.upstream.fetch import Fetcher
    from okgen.upstream.vendor import Source, vendor

    class AtHand(Fetcher):
        def fetch(self, url: str, sha256: str, advance: Callable[[int, int | None], None]) -> bytes:  # noqa: ARG002
            return file(url).read_bytes()

    document = rendering.load(cluster.read_bytes())
    wanted = [
        Source(addon, release["version"], crds["file"], crds["url"], crds["sha256"])
        for addon in document["addons"]
        for release in definition(addon)["versions"]
        for crds in release.get("crds", [])
    ]
    place = root / document["gitops"].get("path", "output") / "_vendor"
    outcomes = vendor(wanted, str(place), {}, Lines(io.StringIO()), AtHand())
    assert [each.messages for each in outcomes if each.exit] == []
