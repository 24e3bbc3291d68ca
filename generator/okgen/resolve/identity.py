"""Which IAM role an add-on's ServiceAccount gets, how, and with which rights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import compiled, evaluate
from okgen.addons.template import Names
from okgen.form import Formed, joined, split
from okgen.resolve.names import shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from okgen.addons.catalogue import Addon

# Which values of cluster.yaml the keys of `identity` follow from, beside the folder's `identity.when`; for `okgen why`.
FOLLOWS: dict[str, tuple[tuple[str, ...], ...]] = {
    "mode": (("aws", "identity"),),
    "roleName": (("metadata", "name"),),
    "roleArn": (("metadata", "name"), ("aws", "accountId"), ("aws", "region")),
    "serviceAccount": (),
}
ROLE_NAME_LIMIT = 64  # characters; docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


def identity_of(addon: Addon, scope: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """What expressions see as ``identity``; its ``mode`` is None for an add-on that does not call AWS here.

    ``scope`` is all else they see. Raises TemplateError.
    """
    wanted = addon.identity
    if wanted is None or not _is_on(wanted.get("when"), addon, scope):
        return Names(mode=None, roleName=None, roleArn=None, serviceAccount=None)
    modes = wanted["modes"]
    name = shorten(f"{data['metadata']['name']}-{addon.name}", ROLE_NAME_LIMIT)
    return Names(
        mode=data["aws"]["identity"] if data["aws"]["identity"] in modes else modes[0],
        roleName=name,
        roleArn=scope["arn"]("iam", f"role/{name}", region=""),
        serviceAccount=wanted["serviceAccount"],
    )


def statements_of(addon: Addon, scope: dict[str, Any]) -> Formed | None:
    """The IAM policy statements an add-on needs in this cluster; None where it needs none. Raises TemplateError."""
    template = addon.statements
    if template is None:
        return None
    (values,) = template.values(scope)
    shape, strings = split(values)

    def make(strings: Sequence[str]) -> list[dict[str, Any]]:
        built = template.build(joined(shape, iter(strings)))
        found: list[dict[str, Any]] = built.get("statements", []) if isinstance(built, dict) else []
        return found

    found = Formed((template, shape), strings, make, is_list=True)
    return None if found.size == len("[]") else found


def _is_on(condition: Any, addon: Addon, scope: dict[str, Any]) -> bool:  # noqa: ANN401 - a template or nothing
    if condition is None:
        return True
    return bool(evaluate(compiled(condition, addon.file("addon.yaml")), scope))
