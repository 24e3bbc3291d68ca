"""The order of an add-on's Application among the others, from what each declares to come after."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.addons.template import TemplateError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from okgen.addons.catalogue import Addon


def waves(addons: Sequence[Addon]) -> dict[str, int]:
    """The sync wave of each add-on, from 0: one more than the latest of those it comes after.

    Raises TemplateError when they wait for one another in a circle.
    """
    after = {addon.name: addon.definition.get("after", []) for addon in addons}
    found: dict[str, int] = {}

    def wave(name: str, waiting: tuple[str, ...]) -> int:
        if name in waiting:
            circle = " after ".join((*waiting[waiting.index(name) :], name))
            raise TemplateError(f"overlays/{name}/addon.yaml: add-ons wait for one another: {circle}")
        if name not in found:
            found[name] = max((wave(each, (*waiting, name)) + 1 for each in after[name] if each in after), default=0)
        return found[name]

    return {name: wave(name, ()) for name in after}
