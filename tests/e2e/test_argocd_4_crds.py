"""Tier 2.4: CRDs that are larger than client-side apply can take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from e2e.rig import argocd as argo
from e2e.rig.waiting import until

if TYPE_CHECKING:
    from e2e.rig.controlplane import Cluster
    from e2e.rig.customer import Customer

LIMIT = 262_144  # bytes of all annotations of an object, one of which client-side apply would fill with the object
LARGE = ("clustersecretstores.external-secrets.io", "secretstores.external-secrets.io")
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.mark.parametrize("name", LARGE)
def test_large_crds_are_applied_on_the_server(home: Cluster, shop: str, name: str) -> None:  # noqa: ARG001 - it is there
    """They are there, larger than the limit, written by Argo CD's server-side apply, without client-side's copy."""
    crd = home.api.get(f"{CRDS}/{name}")
    assert len(json.dumps(crd["spec"], separators=(",", ":"))) > LIMIT
    writers = {(each["manager"], each["operation"]) for each in crd["metadata"]["managedFields"]}
    assert ("argocd-controller", "Apply") in writers
    assert "kubectl.kubernetes.io/last-applied-configuration" not in crd["metadata"]["annotations"]


@pytest.mark.parametrize(("options", "phase"), [([], "Failed"), (["ServerSideApply=true"], "Succeeded")])
def test_client_side_apply_would_fail(customer: Customer, shop: str, options: list[str], phase: str) -> None:
    """The test of the test: a sync of one of them without the option that okgen sets fails, with it succeeds."""
    name = f"{shop}-external-secrets"
    crd = {"group": "apiextensions.k8s.io", "kind": "CustomResourceDefinition", "name": LARGE[0]}
    sync = {"resources": [crd], "syncOptions": options}
    before = customer.argocd.state(name).started
    customer.argocd.api.patch(f"{argo.APPLICATIONS}/{name}", {"operation": {"sync": sync}})

    def operation() -> dict[str, Any] | None:
        found: dict[str, Any] = customer.argocd.application(name)["status"]["operationState"]
        return found if found["startedAt"] != before and found["phase"] != "Running" else None

    done = until("the sync is over", operation)
    assert done
    assert done["phase"] == phase
    assert ("Too long" in json.dumps(done)) is (phase == "Failed")
