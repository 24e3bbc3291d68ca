"""What the add-ons ask of IAM, read off their templates: no wildcard stands where something narrower would do."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
import yaml
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from rendering import OVERLAYS

# Actions that know resources and are allowed on all of them nevertheless, and why. Nothing that changes anything
# belongs here unless all it can be narrowed to is everything the account has.
ON_EVERYTHING = {
    "ec2:GetCoipPoolUsage": "reads; the pool is named by an annotation of an Ingress",
    "ec2:GetSecurityGroupsForVpc": "reads; Elastic Load Balancing asks for it in the caller's name, upstream's shape",
    "globalaccelerator:ListEndpointGroups": "reads; accelerators are found by their tags first",
    "globalaccelerator:ListListeners": "reads; accelerators are found by their tags first",
    "globalaccelerator:ListTagsForResource": "reads; it is how the controller finds out what is its own",
    "shield:DeleteProtection": "AWS makes up the ids of protections: protection/* is all of the account's, as is this",
    "shield:DescribeProtection": "reads; ids of protections are made up by AWS",
    "waf-regional:GetWebACL": "reads; the web ACL is named by an annotation of an Ingress",
    "waf-regional:GetWebACLForResource": "reads; the web ACL is named by an annotation of an Ingress",
    "wafv2:GetWebACL": "reads; the web ACL is named by an annotation of an Ingress",
    "wafv2:GetWebACLForResource": "reads; the web ACL is named by an annotation of an Ingress",
}

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
    assert _on_everything(asked) <= set(ON_EVERYTHING)


def _on_everything(asked: Asked) -> set[str]:
    """The actions of a statement that could be narrowed to resources, and are not."""
    if asked.statement["Resource"] not in ("*", ["*"]):
        return set()
    return {
        f"{service}:{action}"
        for service, action in asked.actions
        if KNOWN_ACTIONS[service]["Actions"][action.lower()].get("Resources")
    }


def test_every_reason_is_needed() -> None:
    assert set(ON_EVERYTHING) == {action for asked in ASKED for action in _on_everything(asked)}


def test_sids_are_unique_in_an_addon() -> None:
    keys = [asked.key for asked in ASKED]
    assert sorted(set(keys)) == sorted(keys)
