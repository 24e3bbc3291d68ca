"""What the add-ons ask of IAM, read off their templates: no wildcard stands where something narrower would do."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
import yaml
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from rendering import OVERLAYS

# Actions that could be narrowed to resources, allowed on all of them: (add-on, Sid) -> why.
ON_EVERYTHING: dict[tuple[str, str], str] = {}

ACTION = re.compile(r"\b([a-z0-9-]+):([A-Za-z*]+)")


class Asked(NamedTuple):
    """A statement as the template has it."""

    addon: str
    statement: dict[str, Any]

    @property
    def actions(self) -> list[tuple[str, str]]:
        """Service and name of each action, those inside of expressions included."""
        return ACTION.findall(yaml.safe_dump(self.statement["Action"]))

    @property
    def key(self) -> tuple[str, str]:
        """Add-on and Sid, without the number of a repeated statement."""
        return self.addon, re.sub(r"\$\{\{.*?\}\}", "", self.statement["Sid"])


def _asked() -> list[Asked]:
    return [
        Asked(path.parent.name, statement)
        for path in sorted(OVERLAYS.glob("*/iam.yaml"))
        for statement in yaml.safe_load(path.read_text(encoding="utf-8"))["statements"]
    ]


ASKED = _asked()
KNOWN_ACTIONS: dict[str, Any] = load_resource(
    AdditionalSpecs, "Policies.json"
)  # from the Service Authorization Reference
each_statement = pytest.mark.parametrize("asked", ASKED, ids=lambda asked: ".".join(asked.key))


@each_statement
def test_the_form(asked: Asked) -> None:
    assert set(asked.statement) - {"okgen", "Condition"} == {"Sid", "Effect", "Action", "Resource"}
    assert re.fullmatch(r"[A-Za-z0-9]+", asked.key[1]), "IAM takes letters and digits only"
    assert asked.statement["Effect"] == "Allow"


@each_statement
def test_actions_are_named_one_by_one_and_exist(asked: Asked) -> None:
    assert asked.actions
    for service, action in asked.actions:
        assert "*" not in action
        assert action.lower() in KNOWN_ACTIONS[service]["Actions"], f"{service}:{action} is no action of AWS"


@each_statement
def test_everything_is_meant_only_where_aws_knows_nothing_narrower(asked: Asked) -> None:
    if asked.statement["Resource"] not in ("*", ["*"]):
        assert asked.key not in ON_EVERYTHING
        return
    narrowable = [
        f"{service}:{action}"
        for service, action in asked.actions
        if KNOWN_ACTIONS[service]["Actions"][action.lower()].get("Resources")
    ]
    assert bool(narrowable) == (asked.key in ON_EVERYTHING), narrowable


def test_every_reason_is_needed() -> None:
    assert set(ON_EVERYTHING) <= {asked.key for asked in ASKED}
    assert all(ON_EVERYTHING.values())


def test_sids_are_unique_in_an_addon() -> None:
    keys = [asked.key for asked in ASKED]
    assert sorted(set(keys)) == sorted(keys)
