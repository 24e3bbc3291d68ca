"""Tier 2.3: what the two AppProjects refuse to somebody who can write to a folder of the repository."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.rig import argocd as argo
from e2e.rig.customer import URL
from e2e.rig.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from e2e.rig.controlplane import Cluster
    from e2e.rig.customer import Customer
    from e2e.rig.kube import Object

OTHER = "https://github.com/acme/other.git"
# What is slipped into the folder of external-dns: a namespaced kind, a cluster-scoped kind, a namespace, and Argo CD's
# own namespace, of kinds that are admitted elsewhere.
INTO_ADDON = {
    "kind": ("v1", "ConfigMap", "external-dns"),
    "cluster-kind": ("scheduling.k8s.io/v1", "PriorityClass", ""),
    "namespace": ("v1", "ServiceAccount", "default"),
    "argocd": ("v1", "ServiceAccount", "argocd"),
}
SERVICE, INTRUDER = "service-external-dns.yaml", {"example.com/intruder": "yes"}
# And into the folder of the Applications.
INTO_ROOT = {
    "root-kind": ("v1", "ConfigMap", "argocd"),
    "root-namespace": ("argoproj.io/v1alpha1", "AppProject", "default"),
}


@pytest.fixture(scope="module")
def refused(customer: Customer, shop: str) -> Iterator[dict[str, str]]:
    """The commit of an intruder, and by name what Argo CD says about each of his objects; then it is taken back."""
    addon = customer.tree(shop, "addons", "external-dns")
    _slip_in(addon, INTO_ADDON)
    _relabel(addon / SERVICE)
    _slip_in(customer.tree(shop, "argocd"), INTO_ROOT)
    customer.repository.push("Slip something in")
    customer.argocd.refresh(*customer.argocd.names(shop))
    found = _messages(customer, f"{shop}-external-dns", INTO_ADDON) | _messages(customer, shop, INTO_ROOT)
    yield found
    commit = customer.repository.undo()
    customer.argocd.refresh(*customer.argocd.names(shop))
    customer.settled(shop, commit)


@pytest.mark.parametrize("name", [*INTO_ADDON, *INTO_ROOT])
def test_an_object_that_was_not_rendered_is_refused(home: Cluster, refused: dict[str, str], name: str) -> None:
    """A namespaced and a cluster-scoped kind, a namespace, and Argo CD's namespace; in the root a kind, a namespace."""
    kind = {**INTO_ADDON, **INTO_ROOT}[name]
    assert "not permitted in project" in refused[name]
    assert home.kubectl.get(f"{kind[1]}/{name}", kind[2]) is None


def test_nothing_else_of_the_folder_is_synced_with_it(
    customer: Customer, home: Cluster, refused: dict[str, str], shop: str
) -> None:
    """One forbidden object stops the whole commit: another change in it, which would be admitted, is not made."""
    assert refused
    service = home.kubectl.get("service/external-dns", "external-dns") or {}
    assert service["metadata"]["labels"].keys().isdisjoint(INTRUDER)
    resources = customer.argocd.application(f"{shop}-external-dns")["status"]["resources"]
    assert [each["status"] for each in resources if each["kind"] == "Service"] == ["OutOfSync"], "the change is known"


@pytest.mark.parametrize(
    ("project", "repository", "namespace"),
    [("", OTHER, "external-dns"), ("", URL, "argocd"), ("-root", OTHER, "argocd"), ("-root", URL, "kube-system")],
)
def test_an_application_from_elsewhere_or_to_elsewhere_is_refused(
    customer: Customer, shop: str, project: str, repository: str, namespace: str
) -> None:
    """An Application of either project that reads another repository, or writes to another namespace, is invalid."""
    destination = {"server": "https://kubernetes.default.svc", "namespace": namespace}
    source = {"repoURL": repository, "path": "output", "targetRevision": "HEAD"}
    value = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "foreign", "namespace": argo.NAMESPACE},
        "spec": {"project": shop + project, "source": source, "destination": destination},
    }
    customer.argocd.api.post(argo.APPLICATIONS, value)
    try:
        found = until("it is judged", lambda: _conditions(customer, "foreign"))
    finally:
        customer.argocd.api.delete(f"{argo.APPLICATIONS}/foreign")
    assert [each["type"] for each in found] == ["InvalidSpecError"]
    says = (
        f"repo {OTHER} is not permitted in"
        if repository == OTHER
        else "do not match any of the allowed destinations in"
    )
    assert f"{says} project '{shop}{project}'" in found[0]["message"]


def _conditions(customer: Customer, name: str) -> list[dict[str, Any]]:
    status = customer.argocd.application(name).get("status", {})
    return list(status.get("conditions", []))


def _relabel(path: Path) -> None:
    """Adds the intruder's label to an object that was rendered."""
    value = yaml.safe_load(path.read_text(encoding="utf-8"))
    value["metadata"]["labels"] |= INTRUDER
    path.write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")


def _slip_in(folder: Path, objects: dict[str, tuple[str, str, str]]) -> None:
    """Adds objects to a Kustomize folder."""
    kustomization = folder / "kustomization.yaml"
    value = yaml.safe_load(kustomization.read_text(encoding="utf-8"))
    for name, (version, kind, namespace) in objects.items():
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        extra: Object = {"value": 1} if kind == "PriorityClass" else {}
        extra |= {"spec": {"description": "x"}} if kind == "AppProject" else {}
        text = json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, **extra})
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        value["resources"].append(f"{name}.yaml")
    kustomization.write_text(yaml.safe_dump(value, sort_keys=False), encoding="utf-8")


def _messages(customer: Customer, application: str, objects: dict[str, tuple[str, str, str]]) -> dict[str, str]:
    """By name what the sync of an Application says about these objects, waited for."""

    def said() -> dict[str, str]:
        operation = customer.argocd.application(application)["status"].get("operationState", {})
        results = operation.get("syncResult", {}).get("resources", [])
        found = {each["name"]: each.get("message", "") for each in results if each["name"] in objects}
        return found if found.keys() == objects.keys() else {}

    return until(f"{application} says what it thinks of them", said)
