"""The AWS partitions: which one a region belongs to, and what follows from that for ARNs and host names."""

from __future__ import annotations

from typing import NamedTuple

# The audience of the tokens EKS puts into pods, and the one the IAM OIDC provider must list: the same in every
# partition. In China too: tokens for sts.amazonaws.com.cn are refused (eksctl-io/eksctl#1910,
# terraform-aws-modules/terraform-aws-eks#1704), although the endpoints there end in amazonaws.com.cn.
AUDIENCE = "sts.amazonaws.com"

# Who assumes a role for EKS Pod Identity. The user guide of the China regions (docs.amazonaws.cn, "pod-id-role") says
# the same as the global one; the European Sovereign Cloud refuses principals under amazonaws.eu
# (pulumi/pulumi-eks#2341). Not confirmed for the iso partitions, where some services have principals of their own.
POD_IDENTITY = "pods.eks.amazonaws.com"


class Partition(NamedTuple):
    """A partition. ``name`` is the second field of its ARNs, ``dns_suffix`` ends its endpoints (``amazonaws.com``)."""

    name: str
    dns_suffix: str
    dual_stack_dns_suffix: str
    regions: tuple[str, ...]

    def oidc_hosts(self, region: str) -> tuple[str, ...]:
        """The hosts an EKS cluster of that region may have its OIDC issuer on: IPv4 only, and dual-stack.

        Seen in aws, aws-us-gov and aws-cn; in the other partitions they are what EKS' rule for host names gives.
        """
        return f"oidc.eks.{region}.{self.dns_suffix}", f"oidc-eks.{region}.{self.dual_stack_dns_suffix}"


_known: list[Partition] = []


def all_partitions() -> list[Partition]:
    """Every partition of ``schemas/partitions.json``, read when first asked for."""
    if not _known:
        import json

        from okgen import resources

        facts = json.loads(resources.read(f"{resources.folder('schemas')}/partitions.json"))["partitions"]
        _known.extend(
            Partition(name, fact["dnsSuffix"], fact["dualStackDnsSuffix"], tuple(fact["regions"]))
            for name, fact in facts.items()
        )
    return _known


def partition_of(region: str) -> Partition | None:
    """The partition a region belongs to; None when the region is unknown."""
    return next((each for each in all_partitions() if region in each.regions), None)


def regions() -> tuple[str, ...]:
    """Every region of every partition: what a mistyped one is compared with."""
    return tuple(region for each in all_partitions() for region in each.regions)
