"""From an object and its edited copy to the patch between them, and what patches make of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.adopt import operations, strategic
from okgen.adopt.strategic import same
from okgen.emit import dump
from okgen.patching import build
from okgen.patching.build import parsed
from okgen.patching.elements import InexpressibleError
from okgen.resolve import jsonpatch

if TYPE_CHECKING:
    from collections.abc import Iterable

STRATEGIC, JSON = "strategic merge", "JSON 6902"
_END = "# the end of the patch; without this line Kustomize cuts off the last line end of the text above\n"
_NOTHING = object()  # stands for the value of a key that is not there


class Made(NamedTuple):
    """A patch as Kustomize reads it; ``form`` is what people call its form."""

    form: str
    text: str


def make(base: dict[str, Any], edited: dict[str, Any]) -> Made:
    """The patch: strategic merge where it says the edit exactly, else JSON 6902. Raises InexpressibleError."""
    try:
        return Made(STRATEGIC, _written(strategic.make(base, edited)))
    except InexpressibleError:
        listed = list(operations.make(base, edited))
    if not same(jsonpatch.applied(base, listed), edited):
        raise InexpressibleError("no patch says it exactly")
    return Made(JSON, _written(listed))


def _written(patch: Any) -> str:  # noqa: ANN401 - a mapping or a list
    """The text of a patch, with a line behind it where the last value would else lose its line end."""
    text = dump(patch)
    return text if same(parsed(text), patch) else f"{text}{_END}"


def applied(base: dict[str, Any], patch: Any) -> dict[str, Any]:  # noqa: ANN401 - a patch as parsed
    """The object that Kustomize makes of one and a patch. Raises InexpressibleError, PatchError."""
    found = build.applied(base, patch)
    if found is None:
        raise InexpressibleError("the patch deletes the object")
    return found


def laid_over(base: Any, edited: Any, current: Any) -> Any:  # noqa: ANN401 - any YAML value
    """What an edit of ``base`` makes of ``current``, which came of ``base`` in another way; the edit has the last word.

    Raises InexpressibleError where both changed the elements of one list, and not alike.
    """
    if _NOTHING in (base, edited, current):
        return current if _alike(base, edited) else edited
    if same(base, edited) or same(edited, current):
        return current
    if same(base, current):
        return edited
    if all(isinstance(each, dict) for each in (base, edited, current)):
        keys = [*current, *(key for key in edited if key not in current)]
        found = {key: laid_over(*(each.get(key, _NOTHING) for each in (base, edited, current))) for key in keys}
        return {key: value for key, value in found.items() if value is not _NOTHING}
    if all(isinstance(each, list) for each in (base, edited, current)) and len(base) == len(edited) == len(current):
        return [laid_over(*each) for each in zip(base, edited, current, strict=True)]
    if isinstance(edited, list) or isinstance(current, list):
        raise InexpressibleError("both change the same list")
    return edited


def fault_together(base: dict[str, Any], edited: dict[str, Any], patches: Iterable[tuple[str, Any]]) -> str:
    """Why an edit would not come out of these patches, each with what it is called; "" when it does.

    What is not known to be wrong is: a JSON patch finds its places in what others leave behind.
    """
    current, unknown = base, ""
    for name, patch in patches:
        if unknown and isinstance(patch, list):
            return f"{unknown} changes this object too, and okgen cannot tell what comes of both: say the edit there"
        try:
            current = current if unknown else applied(current, patch)
        except jsonpatch.PatchError as error:
            return f"{name} does not fit what the others make of this object: {error}"
        except InexpressibleError:
            unknown = name
    try:
        is_there = unknown or same(laid_over(base, edited, current), current)
    except InexpressibleError:
        return ""  # two patches changed one list, and both have fitted
    return "" if is_there else "another patch of the add-on says otherwise: change that one"


def _alike(one: Any, other: Any) -> bool:  # noqa: ANN401 - any YAML value
    return one is other if _NOTHING in (one, other) else same(one, other)
