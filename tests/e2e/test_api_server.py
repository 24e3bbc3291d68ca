"""Tier 1: what okgen renders for the example clusters, on the API servers of Kubernetes 1.36 and 1.21.

Each tree is applied server-side, Application by Application and wave by wave as Argo CD would, with the CRDs it names.
The controllers do not run; pods, their Services and admission webhooks are answered for by the rig.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

import rendering
import test_cases
from e2e.rig import installation, inventory, rights, tree, waiting, webhooks
from e2e.rig.api import ApiError
from e2e.rig.kube import identity, version
from e2e.rig.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.rig.controlplane import Cluster
    from e2e.rig.crdhost import CrdHost
    from e2e.rig.installation import Installation
    from e2e.rig.kube import Object

# Each example in tests/cases, and the fixture of the cluster it goes to.
CASES = {
    "full": "cluster",
    "minimal": "cluster",
    "irsa": "cluster",
    "pod-identity": "cluster",
    "legacy-pair": "cluster",
    "alb-legacy": "cluster_of_old",
}
CRD = "CustomResourceDefinition"
POD_SECURITY = "pod-security.kubernetes.io/enforce"
UNRESTRICTED = "privileged"
ELSEWHERE = "default"
VERBS = (
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "impersonate",
    "escalate",
    "bind",
)


pytestmark = pytest.mark.parametrize(
    ("site", "installed"), [(site, case) for case, site in CASES.items()], ids=CASES, indirect=True, scope="module"
)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, crdhost: CrdHost) -> Iterator[Webhooks]:  # noqa: ARG001 - CRDs by URL
    """Where examples are applied, one after the other; the CRDs that one brings serve for the next, too."""
    played = Webhooks(request.getfixturevalue(request.param))
    before = inventory.take(played.cluster.api)
    yield played
    inventory.restore(played.cluster.api, before)
    played.stop()


@pytest.fixture(scope="module")
def installed(
    request: pytest.FixtureRequest, site: Webhooks, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One example cluster, rendered for this Kubernetes and applied."""
    source = (test_cases.HERE / "cases" / request.param / "cluster.yaml").read_text(encoding="utf-8")
    minor = site.cluster.version.rpartition(".")[0]
    text = re.sub(r"^(kubernetesVersion:).*$", rf'\1 "{minor}"', source, flags=re.MULTILINE)
    made = tree.render(site.cluster.kubectl, tmp_path_factory.mktemp(request.param), text)
    before = inventory.take(site.cluster.api)
    yield installation.install(site.cluster, made, site)
    inventory.restore(site.cluster.api, before, keep=(CRD,))


def test_every_object_is_accepted(installed: Installation) -> None:
    """Every object passes `kubectl apply --server-side --dry-run=server --validate=strict`, and no warning is given."""
    assert installed.refused == []
    assert installed.warned == []


def test_all_is_applied_in_order(installed: Installation) -> None:
    """Every object is then applied in earnest in okgen's order, from an empty cluster and with all CRDs."""
    assert installed.failed == []
    assert set(installed.applied) == set(map(identity, installed.tree.objects))


def test_deployments_become_available(installed: Installation) -> None:
    """CRDs become Established and Deployments Available, with as many ready pods as they ask for."""
    assert installed.late == []
    for deployment in installed.tree.of_kind("Deployment"):
        found = current(installed.cluster, deployment)
        assert found["status"]["readyReplicas"] == deployment["spec"]["replicas"]


def test_applying_again_changes_nothing(installed: Installation) -> None:
    """Applied once more, no object gets another resourceVersion."""
    objects = installed.tree.objects
    before = {identity(each): version(each) for each in installed.cluster.kubectl.apply(objects)}
    again = {identity(each): version(each) for each in installed.cluster.kubectl.apply(objects)}
    assert {each for each in again if again[each] != before[each]} == set()


def test_pod_security_admits_every_pod(installed: Installation) -> None:
    """Namespaces enforce the Pod Security level that the docs claim, and every pod is admitted there."""
    claimed = {}
    for application in addons(installed):
        for deployment in application.of_kind("Deployment"):
            claimed[deployment["metadata"]["namespace"]] = claim(application.name)
            assert pods_of(installed.cluster, deployment), f"{deployment['metadata']['name']} has no pod"
    for name, level in claimed.items():
        labels = installed.cluster.api.get(f"/api/v1/namespaces/{name}")["metadata"]["labels"]
        assert labels.get(POD_SECURITY, UNRESTRICTED) == level


def test_pod_security_refuses_others(installed: Installation) -> None:
    """Where the level is restricted, a pod without a security context is refused: the labels are enforced."""
    for namespace in installed.tree.of_kind("Namespace"):
        path = f"/api/v1/namespaces/{namespace['metadata']['name']}/pods?dryRun=All"
        if namespace["metadata"]["labels"][POD_SECURITY] == "restricted":
            with pytest.raises(ApiError, match="violates PodSecurity"):
                installed.cluster.api.post(path, plain_pod())


def test_service_accounts_have_the_listed_rights(installed: Installation) -> None:
    """In every namespace `kubectl auth can-i --list` says of each ServiceAccount what the add-on's folder lists."""
    spaces = [each["metadata"]["name"] for each in installed.tree.of_kind("Namespace")]
    for application in addons(installed):
        everything: set[rights.Right] = set()
        for account in rights.accounts(application.objects):
            bound = rights.bound(application.objects, account)
            for namespace in {*spaces, account.namespace, ELSEWHERE, "kube-system"}:
                expected = {each.right for each in bound if each.namespace in (rights.EVERYWHERE, namespace)}
                assert rights.told(installed.cluster.api, account, namespace) == expected, (account, namespace)
                everything |= expected
        assert everything == rights.listed(application.objects), f"{application.name}: a role is bound to nobody"


def test_service_accounts_have_no_other_rights(installed: Installation) -> None:
    """`kubectl auth can-i` says yes to each right listed, and no to every other verb on the same resources."""
    for application in addons(installed):
        for account in rights.accounts(application.objects):
            bound = rights.bound(application.objects, account)
            for namespace in sorted({account.namespace, ELSEWHERE, *(each.namespace for each in bound)} - {""}):
                granted = {each.right for each in bound if each.namespace in (rights.EVERYWHERE, namespace)}
                for right in sorted(granted | others({each.right for each in bound})):
                    allowed = rights.can(installed.cluster.api, account, namespace, right)
                    assert allowed == (right in granted), (account, namespace, right)


def test_disruption_budgets_select_pods(installed: Installation) -> None:
    """Each PodDisruptionBudget counts the pods of exactly one Deployment, and lets one of them go."""
    for budget in installed.tree.of_kind("PodDisruptionBudget"):
        space, name = (budget["metadata"][key] for key in ("namespace", "name"))
        path = f"/apis/policy/v1/namespaces/{space}/poddisruptionbudgets/{name}/status"
        chosen = budget["spec"]["selector"]["matchLabels"]
        selected = [
            each
            for each in installed.tree.of_kind("Deployment")
            if each["metadata"]["namespace"] == space
            and chosen.items() <= each["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert len(selected) == 1, name
        replicas = selected[0]["spec"]["replicas"]
        counted = waiting.latest(
            lambda path=path: installed.cluster.api.get(path)["status"],  # type: ignore[misc]
            lambda status, wanted=replicas: status["currentHealthy"] == wanted,  # type: ignore[misc]
            within=30,
        )
        assert (counted["expectedPods"], counted["currentHealthy"]) == (replicas, replicas), name
        assert counted["disruptionsAllowed"] >= 1, f"{name} lets no pod go: a node could not be drained"


def test_webhooks_point_at_pods(installed: Installation) -> None:
    """Each webhook names a Service and a port of it that ready pods of the add-on serve on a port they declare."""
    for application in addons(installed):
        for configuration in application.of_kind(*installation.WEBHOOKS):
            for webhook in configuration["webhooks"]:
                service = webhook["clientConfig"]["service"]
                space = service["namespace"]
                found = webhooks.backend(installed.cluster.api, space, service["name"], service["port"])
                assert found, f"{webhook['name']}: nobody serves {service}"
                for name in found.pods:
                    pod = installed.cluster.api.get(f"/api/v1/namespaces/{space}/pods/{name}")
                    containers = pod["spec"]["containers"]
                    ports = [port["containerPort"] for each in containers for port in each.get("ports", [])]
                    assert found.port in ports, f"{webhook['name']}: {name} declares {ports}"


def test_webhooks_are_asked(installed: Installation, site: Webhooks) -> None:
    """The API server has called the webhook that checks the rendered stores, at the address of a pod."""
    names = {"ClusterSecretStore": "clustersecretstores"}
    expected = {
        (names[each["kind"]], each["metadata"]["name"])
        for each in installed.tree.of_kind(*names)
        if each["apiVersion"].startswith("external-secrets.io/")
    }
    assert expected <= {(call.resource, call.name) for call in site.calls}


def test_removal_takes_what_the_addon_owned(installed: Installation) -> None:
    """Removing an add-on's tree deletes what it owned and nothing else: CRDs, Namespaces and what users made stay."""
    users = [each for each in users_objects() if served(installed, each)]
    installed.cluster.kubectl.apply([users_namespace(), *users], manager="user")
    await_namespace(installed.cluster, "users")
    for application in reversed(addons(installed)):
        before = inventory.take(installed.cluster.api)
        owned = inventory.owned(before, map(identity, application.pruned()))
        assert {identity(each) for each in application.pruned()} <= owned
        remove(installed.cluster, application)
        after = waiting.latest(
            lambda: inventory.take(installed.cluster.api),
            lambda now, owned=owned: not owned & set(now),  # type: ignore[misc]
            within=60,
        )
        assert set(before) - set(after) == owned, application.name
        assert set(after) - set(before) == set(), application.name
    left = set(map(identity, installed.tree.objects)) & set(inventory.take(installed.cluster.api))
    assert {each.kind for each in left} <= {"Namespace", CRD}


# ------------------------------------------------------------------------------------------------- what the tests ask


def addons(installed: Installation) -> list[tree.Application]:
    """The Applications of add-ons, in the order of their waves."""
    return [each for each in installed.tree.applications if each.name != "namespaces"]


def claim(addon: str) -> str:
    """The Pod Security level that the add-on's page in docs/reference states."""
    page = (rendering.REPOSITORY / "docs" / "reference" / "addons" / f"{addon}.md").read_text(encoding="utf-8")
    _, found, rest = page.partition("Pod Security level `")
    return rest.partition("`")[0] if found else UNRESTRICTED


def plain_pod() -> Object:
    """A pod such as people write it first."""
    container = {"name": "main", "image": "example.com/none:1"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "plain"}, "spec": {"containers": [container]}}


def current(cluster: Cluster, deployment: Object) -> Any:
    """A Deployment as the server has it."""
    space, name = (deployment["metadata"][key] for key in ("namespace", "name"))
    return cluster.api.get(f"/apis/apps/v1/namespaces/{space}/deployments/{name}")


def pods_of(cluster: Cluster, deployment: Object) -> list[Object]:
    """The pods that a Deployment selects."""
    labels = deployment["spec"]["selector"]["matchLabels"]
    selector = "%2C".join(f"{key}%3D{value}" for key, value in labels.items()).replace("/", "%2F")
    return cluster.api.items(f"/api/v1/namespaces/{deployment['metadata']['namespace']}/pods?labelSelector={selector}")


def others(granted: set[rights.Right]) -> set[rights.Right]:
    """Further verbs on the resources of some rights, on all objects where the rights name some."""
    resources = {(each.group, each.resource) for each in granted if each.resource and "*" not in each.verb}
    asked = {rights.Right(verb, *resource) for verb in VERBS for resource in resources}
    return asked - granted


def users_namespace() -> Object:
    """A namespace of a user."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "users"}}


def await_namespace(cluster: Cluster, name: str) -> None:
    """Waits for what Kubernetes puts into a new namespace."""
    for path in ("serviceaccounts/default", "configmaps/kube-root-ca.crt"):
        waiting.until(path, lambda path=path: cluster.api.find(f"/api/v1/namespaces/{name}/{path}"))  # type: ignore[misc]


def users_objects() -> list[Object]:
    """What users make for the add-ons, in their own namespace."""
    meta = {"name": "mine", "namespace": "users"}
    secret = {"secretStoreRef": {"kind": "ClusterSecretStore", "name": "parameter-store"}, "data": []}
    return [
        {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": meta, "spec": secret},
        {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": meta,
            "spec": {"secretName": "mine", "dnsNames": ["a.example.com"], "issuerRef": {"name": "users"}},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": meta,
            "spec": {"defaultBackend": {"service": {"name": "mine", "port": {"number": 80}}}},
        },
    ]


def served(installed: Installation, obj: Object) -> bool:
    """Whether the cluster has the object's kind: Kubernetes' own, or of a CRD of the tree."""
    group = obj["apiVersion"].partition("/")[0]
    groups = {each["spec"]["group"] for each in installed.tree.of_kind(CRD)}
    return group in groups or group.endswith(".k8s.io")


def remove(cluster: Cluster, application: tree.Application) -> None:
    """Deletes what Argo CD would prune, the last wave first."""
    cluster.kubectl.delete(application.pruned())
