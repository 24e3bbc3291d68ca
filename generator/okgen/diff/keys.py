"""Which keys of a cluster.yaml differ, and what it would be with one of them as it was."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from okgen.diff.compare import compare
from okgen.diff.nouns import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from okgen.diff.nouns import Step
    from okgen.problem import Path

NOTHING = object()


def changed_keys(old: Any, new: Any) -> dict[Path, Path]:  # noqa: ANN401 - any plain data
    """The paths that differ, of a list whose entries have keys the list, each with the path to show for it.

    To show: one entry of such a list, where no other is concerned.
    """
    found: dict[Path, Path] = {}
    for field in compare(old, new):
        path: Path = ()
        for step in field.path:
            if isinstance(step, Entry):
                break
            path = (*path, step)
        shown = placed(new, field.path)
        found[path] = shown if found.get(path, shown) == shown else path
    return found


def placed(value: Any, path: tuple[Step, ...]) -> Path:  # noqa: ANN401 - any plain data
    """A path of fields with places in lists for merge keys, as far as there are such entries."""
    found: Path = ()
    for step in path:
        at: str | int | None
        if isinstance(step, Entry):
            at = next((place for place, each in enumerate(value) if step.leads_to(each)), None)
        else:
            at = step
        if at is None:
            break
        found, value = (*found, at), below(value, at)
    return found


def below(data: Any, step: str | int) -> Any:  # noqa: ANN401 - any plain data
    """What a mapping or list has in a place, or NOTHING."""
    if isinstance(data, dict):
        return data.get(step, NOTHING)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else NOTHING


def reached(data: Any, path: Iterable[str | int]) -> Any:  # noqa: ANN401 - any plain data
    """What stands at a path, or NOTHING."""
    for step in path:
        data = below(data, step)
    return data


def patch_files(data: Any) -> dict[tuple[str, int], str]:  # noqa: ANN401 - any plain data
    """The files that a cluster.yaml names for patches, by add-on and number."""
    addons = reached(data, ("addons",))
    return {
        (addon, number): entry["path"]
        for addon, section in (addons.items() if isinstance(addons, dict) else ())
        if isinstance(entries := reached(section, ("patches",)), list)
        for number, entry in enumerate(entries)
        if isinstance(entry, dict) and isinstance(entry.get("path"), str)
    }


def written_out(data: Any, texts: Mapping[tuple[str, int], str]) -> Any:  # noqa: ANN401 - any plain data
    """A cluster.yaml with the text of patches in place of their files, as far as the texts are known."""
    files = patch_files(data)
    if not files:
        return data
    copy = deepcopy(data)
    for addon, number in files:
        if (addon, number) in texts:
            entry = copy["addons"][addon]["patches"][number]
            copy["addons"][addon]["patches"][number] = {
                **{key: value for key, value in entry.items() if key != "path"},
                "patch": texts[addon, number],
            }
    return copy


def taken(data: Any, other: Any, key: Path) -> Any:  # noqa: ANN401 - any plain data
    """A copy of data with what another has at a path, which may be nothing."""
    if not key:
        return other
    copy = deepcopy(data)
    target = copy
    for step in key[:-1]:
        target, other = below(target, step), below(other, step)
    value = below(other, key[-1])
    if isinstance(target, dict) and value is NOTHING:
        target.pop(key[-1], None)
    elif isinstance(target, dict | list):
        target[key[-1]] = deepcopy(value)  # type: ignore[index]  # a step of the kind it takes
    return copy
