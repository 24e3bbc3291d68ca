"""The README.md of a rendered tree: what is in it and the commands that start it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.render.argocd import source_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from okgen.resolve.cluster import Cluster

_STACK = "iam/cloudformation.yaml"
_DIRECT = 51_200  # bytes of a template that AWS takes without a bucket; AWS CloudFormation quotas
_FOLDERS = (
    ("iam/", "roles and policies", "you, with CloudFormation or another tool, and again when it changes"),
    ("bootstrap/", "the root project and Application", "you, once, and again when it changes"),
    ("argocd/", "the add-ons' project and Applications", "Argo CD"),
    ("namespaces/", "the add-ons' namespaces, which are never pruned", "Argo CD"),
    ("addons/", "one folder an add-on", "Argo CD"),
)


def readme(cluster: Cluster, files: Mapping[str, str]) -> str:
    """Markdown with a table of the add-ons and the commands that start them; ``files`` is the rest of the tree."""
    present = {path.partition("/")[0] for path in files}
    folders = [row for row in _FOLDERS if row[0].rstrip("/") in present]
    roles = {role.addon: role.name for role in cluster.roles}
    addons: list[tuple[str, ...]] = [
        (each.addon.name, each.release.version, each.namespace, roles.get(each.addon.name, "none"))
        for each in cluster.addons
    ]
    lines = [
        f"# {cluster.name}",
        "",
        "Rendered by okgen from a cluster.yaml. Change that file and render again; edits made here stop the render.",
        "",
        *_table(("folder", "what is in it", "who applies it"), [(f"`{row[0]}`", *row[1:]) for row in folders]),
        *_table(("add-on", "version", "namespace", "IAM role"), addons),
        "## Start",
        "",
        "Needed before:",
        "",
        *(f"- {need}" for need in _needs(cluster)),
        "",
        f"Then, from the repository's root, with AWS credentials for account {cluster.account} and with kubectl on the",
        "cluster that holds Argo CD:",
        "",
        "```sh",
        *([_deploy(cluster, files[_STACK])] if _STACK in files else []),
        "git push",
        f"kubectl apply --server-side --field-manager=okgen -k {source_path(cluster, 'bootstrap')}",
        "```",
        "",
        f"`kubectl get applications --namespace {cluster.argocd.namespace}` then shows them become Synced and Healthy.",
        "",
        *(_about_argocd_cm() if cluster.argocd.health_check else []),
    ]
    return "\n".join(lines)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    rule = tuple("---" for _ in head)
    return [*(f"| {' | '.join(row)} |" for row in (head, rule, *rows)), ""] if rows else []


def _needs(cluster: Cluster) -> list[str]:
    modes = {role.mode for role in cluster.roles}
    needs = [
        f"Argo CD 3.2 or later in the namespace `{cluster.argocd.namespace}`, with read access to {cluster.repository}"
    ]
    if "pod-identity" in modes:
        needs.append("the EKS add-on `eks-pod-identity-agent`, which Auto Mode has built in")
    if "irsa" in modes:
        needs.append(f"an IAM OIDC provider for {cluster.oidc_provider}")
    return needs


def _deploy(cluster: Cluster, template: str) -> str:
    bucket = " --s3-bucket BUCKET" if len(template.encode()) > _DIRECT else ""
    return (
        f"aws cloudformation deploy --region {cluster.region} --stack-name okgen-{cluster.name} "
        f"--template-file {source_path(cluster, _STACK)} --capabilities CAPABILITY_NAMED_IAM{bucket}"
    )


def _about_argocd_cm() -> list[str]:
    return [
        "The bootstrap sets one key of the ConfigMap `argocd-cm`, under a field manager of its own so that it claims",
        "nothing else there. Do not `kubectl delete -k` it: that deletes the whole ConfigMap.",
        "",
    ]
