"""Image references and the mirrors they are pulled from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from okgen.problem import Problem
    from okgen.read.source import Document


class Mirrors:
    """``images.registries`` of one cluster; remembers which entries were of use."""

    def __init__(self, registries: dict[str, str]) -> None:
        # Longest first, so that the first match is the longest.
        self._registries = sorted(registries.items(), key=lambda entry: (-len(entry[0]), entry[0]))
        self._used: set[str] = set()

    def image(self, reference: str) -> str:
        """The reference with the longest matching prefix replaced; prefixes end where a path step ends."""
        for prefix, mirror in self._registries:
            if reference.startswith(f"{prefix}/"):
                self._used.add(prefix)
                return mirror + reference[len(prefix) :]
        return reference

    def prefix_of(self, reference: str) -> str | None:
        """The prefix that is replaced in a reference, if any."""
        return next((prefix for prefix, _ in self._registries if reference.startswith(f"{prefix}/")), None)

    def unused(self, document: Document) -> list[Problem]:
        """A warning for each mirror that no image of the cluster comes from."""
        return [
            document.problem(
                "OKG314",
                ("images", "registries", prefix),
                f"no image of this cluster comes from {prefix}",
                "a prefix ends at a slash: registry.k8s.io, or registry.k8s.io/external-dns",
                key=True,
                severity="warning",
            )
            for prefix, _ in self._registries
            if prefix not in self._used
        ]
