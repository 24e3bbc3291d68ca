"""Holds what okgen renders against what an official chart renders, difference by difference.

Both sides are flattened to one line a fact, so that a difference is one line too. tests/parity.yaml has an entry for
each: `in`, its line, where `*` stands for anything; `only: upstream`, `only: okgen` or the two values; and a reason.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

import rendering
from tools import build as toolchain

if TYPE_CHECKING:
    from pathlib import Path

    from rendering import Result

LIST = rendering.REPOSITORY / "tests" / "parity.yaml"
# Says who renders and which chart it is; not part of what is compared.
WHO = ("app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart")
MISSING = object()

Facts = dict[str, Any]
Difference = tuple[str, Any, Any]  # where, upstream's value, okgen's value; MISSING for none


# ---------------------------------------------------------------------------------------------------------- both sides


def module(path: str, version: str) -> Path:
    """The folder of a Go module; skips the test where it cannot be had."""
    folder = toolchain.module(path, version)
    if folder is None:
        rendering.unavailable(f"{path}@{version} is not in the module cache", f"go mod download {path}@{version}")
    return folder


def charted(chart: Path, name: str, namespace: str, values: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """The objects of a chart, installed under the name of the add-on with these values."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    call = [rendering.tool("helm"), "template", name, str(chart), "--namespace", namespace, "--values", str(file)]
    home = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    run = subprocess.run(
        [*call, "--kube-version", "1.34.0"], capture_output=True, text=True, check=False, env=home, cwd=folder
    )
    assert run.returncode == 0, run.stderr
    return [each for each in yaml.load_all(run.stdout, rendering.Loader) if each]


def rendered(result: Result, addon: str) -> list[dict[str, Any]]:
    """The objects in an add-on's folder of a rendered tree."""
    return [
        rendering.load(text)
        for path, text in sorted(result.tree.items())
        if path.startswith(f"addons/{addon}/") and not path.endswith("kustomization.yaml")
    ]


# ------------------------------------------------------------------------------------------------------- as plain facts


def facts(objects: list[dict[str, Any]]) -> Facts:
    """``Deployment external-dns spec.replicas`` -> 1, and so on; lists by the names of their items or as sets."""
    found: Facts = {}
    for each in objects:
        name = f"{each['kind']} {each['metadata']['name']}"
        assert name not in found, f"{name} stands there twice"
        found[name] = True
        content = {key: value for key, value in each.items() if key not in ("apiVersion", "kind", "rules")}
        found |= _flat(content, name, " ")
        found |= {f"{name} rules[{right}]": True for right in rights(each.get("rules", []))}
    return found


def rights(rules: list[dict[str, Any]]) -> list[str]:
    """``get secrets``, ``update leases.coordination.k8s.io NAME``: each right that the rules of a role give."""
    return [
        f"{verb} {resource}{f'.{group}' if group else ''}{f' {name}' if name else ''}"
        for rule in rules
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for group in rule["apiGroups"]
        for name in rule.get("resourceNames", [""])
    ]


def _flat(value: Any, path: str, joint: str = ".") -> Facts:
    if isinstance(value, dict) and value:
        inner = {f"{path}{joint}{key}": item for key, item in value.items() if key not in WHO}
    elif isinstance(value, list):
        inner = {f"{path}[{_label(item, place)}]": item for place, item in enumerate(value)}
        inner = {key: (item if isinstance(item, (dict, list)) else True) for key, item in inner.items()}
    else:
        return {path: value}
    return {name: leaf for key, item in inner.items() for name, leaf in _flat(item, key).items()}


def _label(item: Any, place: int) -> str:
    if isinstance(item, dict):
        return str(item.get("name", place))
    return str(place) if isinstance(item, list) else str(item)


def apart(upstream: list[dict[str, Any]], ours: list[dict[str, Any]]) -> list[Difference]:
    """Every fact on which the two sides differ; of an object that one side lacks, only that."""
    theirs, mine = facts(upstream), facts(ours)
    whole = {key for key in theirs.keys() ^ mine.keys() if key.count(" ") == 1}
    return [
        (key, theirs.get(key, MISSING), mine.get(key, MISSING))
        for key in sorted(theirs.keys() | mine.keys())
        if theirs.get(key, MISSING) != mine.get(key, MISSING)
        and (key in whole or not any(key.startswith(f"{each} ") for each in whole))
    ]


# ---------------------------------------------------------------------------------------------------- the reviewed list


class Reviewed:
    """The entries of parity.yaml for one add-on's chart; remembers which of them were needed."""

    def __init__(self, addon: str) -> None:
        self.entries: list[dict[str, Any]] = rendering.load(LIST.read_text(encoding="utf-8"))[addon]["chart"]
        self.needed: set[int] = set()

    def unlisted(self, differences: list[Difference]) -> list[Difference]:
        """The differences for which there is no entry."""
        found = []
        for difference in differences:
            places = [place for place, entry in enumerate(self.entries) if _covers(entry, *difference)]
            self.needed.update(places)
            if not places:
                found.append(difference)
        return found

    def unneeded(self) -> list[str]:
        """The entries that have covered nothing."""
        return [entry["in"] for place, entry in enumerate(self.entries) if place not in self.needed]


def _covers(entry: dict[str, Any], where: str, theirs: Any, mine: Any) -> bool:
    assert entry["reason"], entry
    pattern = ".*".join(map(re.escape, entry["in"].split("*")))
    if not re.fullmatch(pattern, where):
        return False
    if "only" in entry:
        return bool((mine if entry["only"] == "upstream" else theirs) is MISSING)
    return bool(entry["upstream"] == theirs and entry["okgen"] == mine)
