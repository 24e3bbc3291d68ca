"""Whether IAM policies allow a request: the part of AWS's evaluation that the policies of okgen's add-ons rely on.

Written after "Policy evaluation logic" and "IAM JSON policy elements: condition operators" of the IAM user guide. Not
modelled: service control policies, resource policies, session policies, policy variables; none of them is okgen's.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Document = dict[str, Any]


class Question(NamedTuple):
    """One thing a call needs: an action on a resource. A call that needs several is allowed if all of them are.

    ``context`` holds the condition keys, in lower case, that AWS knows about this action on this resource; a key it
    does not know is missing. ``resource`` is an ARN, or ``*`` for actions that know no resources.
    """

    action: str
    resource: str = "*"
    context: Mapping[str, tuple[str, ...]] = {}


class Unmodelled(Exception):  # noqa: N818 - the rig is at its end, not the policy
    """A policy uses what is not modelled here, so that no verdict would be worth anything."""


def allowed(policies: Iterable[Document], question: Question) -> bool:
    """Some statement allows it and none denies it. Raises Unmodelled."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in listed(policy["Statement"])
        if _names(statement, question) and holds(statement.get("Condition", {}), question.context)
    }
    return effects == {"Allow"}


def _names(statement: Document, question: Question) -> bool:
    """Whether a statement is about this action on this resource."""
    if unknown := statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}:
        raise Unmodelled(f"policy element {sorted(unknown)}")
    if not any(like(each.lower(), question.action.lower()) for each in listed(statement["Action"])):
        return False
    # A trust policy has no Resource: it is about the role it stands on.
    return any(like(each, question.resource) for each in listed(statement.get("Resource", "*")))


def holds(conditions: Document, context: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether every condition is met. Raises Unmodelled."""
    return all(
        _met(operator, key, [str(value) for value in listed(values)], context.get(key.lower()))
        for operator, pairs in conditions.items()
        for key, values in pairs.items()
    )


def _met(operator: str, key: str, wanted: list[str], have: tuple[str, ...] | None) -> bool:
    quantifier, _, bare = operator.rpartition(":")
    name = bare.removesuffix("IfExists")
    if name == "Null":
        return (have is None) == (wanted[0].lower() == "true")
    if have is None:
        return quantifier == "ForAllValues" or bare.endswith("IfExists") or name in _NEGATED
    positive = _NEGATED.get(name, name)
    if positive not in _TESTS or (name in _NEGATED and quantifier):
        raise Unmodelled(f"condition operator {operator} of {key}")
    test = _TESTS[positive]
    matches = [any(test(pattern, value) for pattern in wanted) for value in have]
    if name in _NEGATED:
        return not any(matches)
    return all(matches) if quantifier == "ForAllValues" else any(matches)


def like(pattern: str, value: str) -> bool:
    """Matches with ``*`` and ``?``, as IAM does in actions, resources and StringLike."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(mark) or re.escape(mark) for mark in pattern), re.DOTALL)


def like_arn(pattern: str, value: str) -> bool:
    """Matches part by part between the first five colons, as ArnLike and ArnEquals do."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(like, patterns, values))


def listed(value: Any) -> list[Any]:
    """Policies write one thing or a list of them."""
    return value if isinstance(value, list) else [value]


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda wanted, have: wanted.lower() == have.lower(),
    "StringLike": like,
    "ArnEquals": like_arn,
    "ArnLike": like_arn,
    "Bool": lambda wanted, have: wanted.lower() == have.lower(),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
