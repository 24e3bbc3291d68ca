"""What the tests of ``okgen diff`` share: repositories to compare in, the JSON it prints, and the way back from it."""

from __future__ import annotations

import copy
import json
import subprocess
from typing import TYPE_CHECKING, Any

import jsonschema

import rendering

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads((rendering.REPOSITORY / "schemas" / "diff.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def committed(folder: Path, message: str = "before") -> None:
    """Makes a folder a repository, if it is none yet, and commits all that is in it."""
    identity = ["-c", "user.email=test@example.com", "-c", "user.name=test", "-c", "commit.gpgsign=false"]
    commit = [*identity, "commit", "-q", "--allow-empty", "-m", message]
    for call in (["init", "-q"], ["add", "--all", "--force"], commit):
        subprocess.run(["git", *call], cwd=folder, check=True, capture_output=True)


def before_and_after(folder: Path, before: Any, after: Any) -> None:
    """A repository with a committed cluster and its tree, and the cluster.yaml that it shall be."""
    rendering.rendered(folder, before)
    committed(folder)
    (folder / "cluster.yaml").write_text(rendering.written(after), encoding="utf-8")


def said(folder: Path, *arguments: str) -> dict[str, Any]:
    """What ``okgen diff --format json`` says, which must be valid."""
    code, out, err = rendering.okgen("diff", "--format", "json", *arguments, cwd=folder)
    assert code in (0, 1), err
    found: dict[str, Any] = json.loads(out)
    VALIDATOR.validate(found)
    assert (code == 0) is found["empty"]
    return found


def items(found: dict[str, Any], risk: str) -> list[dict[str, Any]]:
    """The items of one risk."""
    return [each for each in found["items"] if each["risk"] == risk]


def applied(value: Any, fields: list[dict[str, Any]]) -> Any:
    """The old data with the fields of an object applied, in the order the schema describes."""
    result = [copy.deepcopy(value)]  # so that the whole can be replaced like a part
    adds = [each for each in fields if "at" in each]
    orders = [each for each in fields if each["op"] == "order"]
    for each in fields:
        if each not in adds and each not in orders:
            _change(result, [0, *each["path"]], each)
    for each in sorted(adds, key=lambda one: int(one["at"])):
        _reach(result, [0, *each["path"][:-1]]).insert(each["at"], copy.deepcopy(each["new"]))
    for each in orders:
        _sort(_reach(result, [0, *each["path"]]), each["old"], each["new"])
    return result[0]


def _reach(value: Any, path: list[Any]) -> Any:
    for step in path:
        value = value[_key(value, step)]
    return value


def _key(holder: Any, step: Any) -> Any:
    """A step of a path as a key or place: a mapping of merge keys is the place of the one entry that has them."""
    if not isinstance(step, dict):
        return step
    places = [place for place, entry in enumerate(holder) if _is(entry, step)]
    assert len(places) == 1, f"{len(places)} entries {step}"
    return places[0]


def _is(entry: Any, keys: dict[str, Any]) -> bool:
    if not isinstance(entry, dict):
        return bool(entry == keys.get("value"))
    return all(entry.get(key) == value for key, value in keys.items())


def _change(result: Any, path: list[Any], field: dict[str, Any]) -> None:
    holder = _reach(result, path[:-1])
    if field["op"] == "remove":
        del holder[_key(holder, path[-1])]
    elif field["op"] == "add":
        assert path[-1] not in holder
        holder[path[-1]] = copy.deepcopy(field["new"])
    else:
        holder[_key(holder, path[-1])] = copy.deepcopy(field["new"])


def _sort(entries: list[Any], old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    """Puts those entries of a list that are in both into another order, in the places that they take together."""
    places = [place for place, entry in enumerate(entries) if any(_is(entry, keys) for keys in old)]
    by_key = [next(entries[place] for place in places if _is(entries[place], keys)) for keys in new]
    for place, entry in zip(places, by_key, strict=True):
        entries[place] = entry


def form(value: Any) -> str:
    """Data in a form in which only the same data is equal: Python takes True for 1."""
    return json.dumps(value, sort_keys=True)
