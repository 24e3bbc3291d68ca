"""The README.md of a rendered tree: what is in it and the commands that start it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.argocd import name_of, source_path

if TYPE_CHECKING:
    from okgen.cluster import Cluster


def readme(cluster: Cluster) -> str:
    """Markdown with a table of the add-ons and the three commands that start the cluster."""
    roles = {role.addon: role.name for role in cluster.roles}
    rows = [
        f"| {each.addon.name} | {each.release.version} | {each.namespace} | {roles.get(each.addon.name, '–')} |"
        for each in cluster.addons
    ]
    commands = [*_iam(cluster), "git push", _apply(cluster)]
    return "\n".join(
        [
            f"# {cluster.name}",
            "",
            "Rendered by okgen from a cluster.yaml. Change that file and render again: what is edited here is not kept.",
            "",
            "| folder | what is in it | who applies it |",
            "|---|---|---|",
            *(["| `iam/` | roles and policies | you, with CloudFormation or by another tool |"] if cluster.roles else []),
            "| `bootstrap/` | the root project and Application | you, once |",
            "| `argocd/` | the add-ons' project and Applications | Argo CD |",
            "| `namespaces/` | the add-ons' namespaces, which are never pruned | Argo CD |",
            "| `addons/` | one folder an add-on | Argo CD |",
            "",
            "| add-on | version | namespace | IAM role |",
            "|---|---|---|---|",
            *rows,
            "",
            "## Start",
            "",
            "```sh",
            *commands,
            "```",
            "",
            f"`kubectl get applications -n {cluster.argocd.namespace} {name_of(cluster, 'namespaces')}` and its neighbours "
            "say Synced and Healthy when all is there.",
            "The field manager of its own keeps the bootstrap from claiming what else stands in `argocd-cm`.",
            "",
        ]
    )


def _iam(cluster: Cluster) -> list[str]:
    if not cluster.roles:
        return []
    template = source_path(cluster, "iam", "cloudformation.yaml")
    return [
        f"aws cloudformation deploy --region {cluster.region} --stack-name okgen-{cluster.name} "
        f"--template-file {template} --capabilities CAPABILITY_NAMED_IAM"
    ]


def _apply(cluster: Cluster) -> str:
    return f"kubectl apply --server-side --field-manager=okgen -k {source_path(cluster, 'bootstrap')}"
