"""Which IAM role an add-on's ServiceAccount gets, how, and with which rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import compiled, evaluate
from okgen.addons.template import Names, new_scope
from okgen.resolve.names import shorten

if TYPE_CHECKING:
    from okgen.addons.catalogue import Addon

# Which values of cluster.yaml the keys of `identity` follow from, beside the folder's `identity.when`; for `okgen why`.
FOLLOWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "mode": (("aws", "identity"),),
    "roleName": (("metadata", "name"),),
    "roleArn": (("metadata", "name"), ("aws", "accountId"), ("aws", "region")),
    "serviceAccount": (),
}
ROLE_NAME_LIMIT = 64  # characters; docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


def identity_of(addon: Addon, names: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """What expressions see as ``identity``; its ``mode`` is None for an add-on that does not call AWS here.

    Raises TemplateError.
    """
    wanted = addon.identity
    if wanted is None or not _is_on(wanted.get("when"), addon, names):
        return Names(mode=None, roleName=None, roleArn=None, serviceAccount=None)
    modes = wanted["modes"]
    name = shorten(f"{data['metadata']['name']}-{addon.name}", ROLE_NAME_LIMIT)
    return Names(
        mode=data["aws"]["identity"] if data["aws"]["identity"] in modes else modes[0],
        roleName=name,
        roleArn=names["arn"]("iam", f"role/{name}", region=""),
        serviceAccount=wanted["serviceAccount"],
    )


def statements_of(addon: Addon, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """The IAM policy statements an add-on needs in this cluster. Raises TemplateError."""
    if addon.statements is None:
        return []
    filled = evaluate(addon.statements, scope)
    found: list[dict[str, Any]] = filled.get("statements", []) if isinstance(filled, dict) else []
    return found


def _is_on(condition: Any, addon: Addon, names: dict[str, Any]) -> bool:  # noqa: ANN401 - a template or nothing
    if condition is None:
        return True
    return bool(evaluate(compiled(condition, addon.file("addon.yaml")), new_scope(names)))
