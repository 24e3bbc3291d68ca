"""What ServiceAccounts may do: according to the RBAC objects of a folder, and according to the API server."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from e2e.rig.api import Api
    from e2e.rig.kube import Object

ROLES = ("Role", "ClusterRole")
BINDINGS = ("RoleBinding", "ClusterRoleBinding")
AGGREGATED = "rbac.authorization.k8s.io/aggregate-to-"
EVERYWHERE = ""


class Account(NamedTuple):
    """A ServiceAccount."""

    namespace: str
    name: str

    @property
    def user(self) -> str:
        """Its user name."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


class Right(NamedTuple):
    """One verb on one resource, by group, or on a path that is no resource; ``name`` is empty for all objects."""

    verb: str
    group: str
    resource: str
    name: str = ""


class Grant(NamedTuple):
    """A right, and the namespace it is for: EVERYWHERE, or one."""

    namespace: str
    right: Right


def accounts(objects: Iterable[Object]) -> list[Account]:
    """The ServiceAccounts among objects."""
    return [
        Account(each["metadata"]["namespace"], each["metadata"]["name"])
        for each in objects
        if each["kind"] == "ServiceAccount"
    ]


def split(rule: dict[str, Any]) -> Iterator[Right]:
    """A rule taken apart."""
    for verb in rule["verbs"]:
        for url in rule.get("nonResourceURLs") or []:
            yield Right(verb, "", url)
        names = rule.get("resourceNames") or [""]
        for parts in itertools.product(rule.get("apiGroups") or [], rule.get("resources") or [], names):
            yield Right(verb, *parts)


def listed(objects: Iterable[Object]) -> set[Right]:
    """The rights in all Roles and ClusterRoles, those excepted that are for people: they are added to view and edit."""
    return {
        right
        for role in objects
        if role["kind"] in ROLES and not _for_people(role)
        for rule in role["rules"]
        for right in split(rule)
    }


def _for_people(role: Object) -> bool:
    return any(label.startswith(AGGREGATED) for label in role["metadata"].get("labels", {}))


def bound(objects: list[Object], account: Account) -> set[Grant]:
    """What the bindings among objects give to a ServiceAccount, by roles that are among them too."""
    roles = {_place(each): each["rules"] for each in objects if each["kind"] in ROLES}
    found = set()
    for binding in objects:
        if binding["kind"] in BINDINGS and account in map(_subject, binding["subjects"]):
            namespace = binding["metadata"].get("namespace", EVERYWHERE)
            ref = binding["roleRef"]
            role = (ref["kind"], namespace if ref["kind"] == "Role" else "", ref["name"])
            found |= {Grant(namespace, right) for rule in roles[role] for right in split(rule)}
    return found


def _place(role: Object) -> tuple[str, str, str]:
    return role["kind"], role["metadata"].get("namespace", ""), role["metadata"]["name"]


def _subject(subject: dict[str, str]) -> Account:
    return Account(subject.get("namespace", ""), subject["name"] if subject["kind"] == "ServiceAccount" else "")


def told(api: Api, account: Account, namespace: str) -> set[Right]:
    """What the API server says an account may do in a namespace, what every account may excepted."""
    return _reviewed(api, account, namespace) - _reviewed(api, Account("default", "default"), namespace)


def _reviewed(api: Api, account: Account, namespace: str) -> set[Right]:
    """What `kubectl auth can-i --list` shows."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    asked = review | {"spec": {"namespace": namespace}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    status = api.post(path, asked, user=account.user)["status"]
    assert not status["incomplete"], status
    return {right for rule in (status["resourceRules"] + status["nonResourceRules"]) for right in split(rule)}


def can(api: Api, account: Account, namespace: str, right: Right) -> bool:
    """What `kubectl auth can-i` answers to one question."""
    resource, _, sub = right.resource.partition("/")
    spec: dict[str, Any] = {"user": account.user, "groups": ["system:authenticated", "system:serviceaccounts"]}
    if resource:
        spec["resourceAttributes"] = {
            "namespace": namespace,
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": sub,
            "name": right.name,
        }
    else:
        spec["nonResourceAttributes"] = {"path": right.resource, "verb": right.verb}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
    answer = api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])
