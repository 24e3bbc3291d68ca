"""The Argo CD objects: who may what, in which order, and what must outlive what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import rendering

if TYPE_CHECKING:
    from pathlib import Path

FINALIZER = "resources-finalizer.argocd.argoproj.io"
WAVE = "argocd.argoproj.io/sync-wave"
PATHS = "argocd.argoproj.io/manifest-generate-paths"
DIGEST = "okgen.dev/tree-digest"
IN_CLUSTER = {"server": "https://kubernetes.default.svc"}
ZONES = {"zones": [{"name": "shop.example.com", "id": "Z0123456789ABCDEFGHIJ"}]}
STORE = {"name": "parameters", "service": "ParameterStore", "prefix": "/shop/"}
ALL: dict[str, Any] = {
    "cert-manager": None,
    "aws-load-balancer-controller": None,
    "external-dns": None,
    "external-secrets": {"stores": [STORE]},
}

Admitted = set[tuple[str, str]]


def cluster(**overrides: Any) -> dict[str, Any]:
    """A cluster with these add-ons and no others, by default ALL."""
    return {**rendering.minimal(dns=ZONES, **overrides), "addons": overrides.get("addons", ALL)}


def named(result: rendering.Result, kind: str) -> dict[str, dict[str, Any]]:
    """The objects of a kind in Argo CD's own folders, by name."""
    return {each["metadata"]["name"]: each for each in result.objects if each["kind"] == kind}


def listed(project: dict[str, Any], scope: str) -> Admitted:
    return {(each["group"], each["kind"]) for each in project["spec"][f"{scope}ResourceWhitelist"]}


def held(result: rendering.Result, addon: str) -> list[dict[str, Any]]:
    """The objects in an add-on's folder; those that it takes from elsewhere by URL are not among them."""
    return [
        rendering.load(text)
        for path, text in result.tree.items()
        if path.startswith(f"addons/{addon}/") and not path.endswith("kustomization.yaml")
    ]


def kinds(objects: list[dict[str, Any]], *, namespaced: bool) -> Admitted:
    return {
        (each["apiVersion"].rpartition("/")[0], each["kind"])
        for each in objects
        if ("namespace" in each["metadata"]) is namespaced
    }


def in_kustomization(result: rendering.Result, folder: str) -> list[str]:
    found: list[str] = rendering.load(result.tree[f"{folder}/kustomization.yaml"])["resources"]
    return found


# ------------------------------------------------------------------------------------------------------ the projects


def test_two_projects(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster())
    applications, projects = named(result, "Application"), named(result, "AppProject")
    assert applications.keys() == {"demo", "demo-namespaces", *(f"demo-{name}" for name in ALL)}
    assert projects.keys() == {"demo-root", "demo"}
    assert {name: each["spec"]["project"] for name, each in applications.items()} == {
        name: "demo-root" if name == "demo" else "demo" for name in applications
    }


def test_every_object_of_argo_cd_is_in_its_namespace_and_in_its_folder(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster(gitops={"argocd": {"namespace": "gitops"}}))
    objects = [*named(result, "Application").values(), *named(result, "AppProject").values()]
    assert {each["metadata"]["namespace"] for each in objects} == {"gitops"}
    files = {path.rpartition("/")[2] for path in result.tree if path.startswith("argocd/")} - {"kustomization.yaml"}
    assert files == {"appproject-demo.yaml", *(f"application-{part}.yaml" for part in ("namespaces", *ALL))}
    assert sorted(files) == sorted(in_kustomization(result, "argocd"))


@pytest.mark.parametrize("profile", ["production", "development"])
def test_the_project_admits_exactly_what_is_rendered(tmp_path: Path, profile: str) -> None:
    result = rendering.rendered(tmp_path, cluster(profile=profile))
    spec = result.object("AppProject", "demo")["spec"]
    objects = [each for addon in ALL for each in held(result, addon)]
    spaces = {each["metadata"]["namespace"] for each in objects if "namespace" in each["metadata"]}
    elsewhere = {("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")}
    assert listed({"spec": spec}, "cluster") == kinds(objects, namespaced=False) | elsewhere
    assert listed({"spec": spec}, "namespace") == kinds(objects, namespaced=True)
    assert spec["destinations"] == [{**IN_CLUSTER, "namespace": space} for space in sorted(spaces)]
    assert "argocd" not in spaces


def test_every_project_admits_the_repository_and_no_other(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster())
    for project in named(result, "AppProject").values():
        assert project["spec"]["sourceRepos"] == ["https://git.example.com/acme/platform.git"]


def test_no_list_that_limits_namespaced_kinds_is_empty(tmp_path: Path) -> None:
    """An empty list is left out when Argo CD writes the project, and a missing whitelist admits everything."""
    for project in named(rendering.rendered(tmp_path, cluster()), "AppProject").values():
        spec = project["spec"]
        assert spec.get("namespaceResourceWhitelist") or spec["namespaceResourceBlacklist"] == [
            {"group": "*", "kind": "*"}
        ]


def test_the_root_project_admits_applications_and_projects_in_argo_cds_namespace(tmp_path: Path) -> None:
    spec = rendering.rendered(tmp_path, cluster()).object("AppProject", "demo-root")["spec"]
    assert spec["destinations"] == [{**IN_CLUSTER, "namespace": "argocd"}]
    assert spec["clusterResourceWhitelist"] == []
    assert {each["kind"] for each in spec["namespaceResourceWhitelist"]} == {"Application", "AppProject"}


# -------------------------------------------------------------------------------------- order, and what outlives what


@pytest.mark.parametrize(
    ("addons", "expected"),
    [
        (ALL, {"cert-manager": 0, "aws-load-balancer-controller": 1, "external-dns": 2, "external-secrets": 0}),
        ({"external-dns": None}, {"external-dns": 0}),
        ({"cert-manager": None, "external-dns": None}, {"cert-manager": 0, "external-dns": 0}),
    ],
)
def test_waves_follow_from_what_comes_after_what(
    tmp_path: Path, addons: dict[str, Any], expected: dict[str, int]
) -> None:
    result = rendering.rendered(tmp_path, cluster(addons=addons))
    waves = {
        name: int(each["metadata"]["annotations"][WAVE])
        for name, each in named(result, "Application").items()
        if name not in ("demo", "demo-namespaces")
    }
    assert waves == {f"demo-{addon}": wave for addon, wave in expected.items()}
    assert wave_of(result, "Application", "demo-namespaces") == -1
    assert wave_of(result, "AppProject", "demo") == -2


def wave_of(result: rendering.Result, kind: str, name: str) -> int:
    return int(result.object(kind, name)["metadata"]["annotations"][WAVE])


def test_what_is_taken_out_goes_before_the_project_is_narrowed(tmp_path: Path) -> None:
    """The bootstrap's objects lend their waves, before the project's, to Applications that go: see argocd._marker.

    PruneLast would put these last all the same. That it works is shown by tests/e2e.
    """
    result = rendering.rendered(tmp_path, cluster())
    options = result.object("Application", "demo")["spec"]["syncPolicy"]["syncOptions"]
    assert not [each for each in options if each.startswith("PruneLast")]
    for kind, name in (("Application", "demo"), ("AppProject", "demo-root")):
        notes = result.object(kind, name)["metadata"]["annotations"]
        assert notes["argocd.argoproj.io/tracking-id"] == f"demo:argoproj.io/{kind}:argocd/{name}"
        assert notes["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
        assert notes["argocd.argoproj.io/compare-options"] == "IgnoreExtraneous"
        assert wave_of(result, kind, name) < wave_of(result, "AppProject", "demo")
    assert wave_of(result, "Application", "demo") != wave_of(result, "AppProject", "demo-root")


def test_crds_lead_to_their_application(tmp_path: Path) -> None:
    """Argo CD tracks no CRD by itself. The id names the Application that waits for it, and no object: it owns none."""
    result = rendering.rendered(tmp_path, cluster())
    for addon in ("cert-manager", "aws-load-balancer-controller", "external-secrets"):
        (patch,) = rendering.load(result.tree[f"addons/{addon}/kustomization.yaml"])["patches"]
        notes = rendering.load(patch["patch"])["metadata"]["annotations"]
        name, _, what = notes["argocd.argoproj.io/tracking-id"].partition(":")
        assert result.object("Application", name)["spec"]["source"]["path"].endswith(f"/addons/{addon}")
        assert what == "apiextensions.k8s.io/CustomResourceDefinition:/any"


def test_finalizers(tmp_path: Path) -> None:
    """An add-on goes with its objects, a project after its Application; namespaces and the root leave all in place."""
    result = rendering.rendered(tmp_path, cluster())
    for name, application in named(result, "Application").items():
        expected = [] if name in ("demo", "demo-namespaces") else [FINALIZER]
        assert application["metadata"].get("finalizers", []) == expected
    for name, project in named(result, "AppProject").items():
        assert project["metadata"].get("finalizers", []) == ([] if name == "demo-root" else [FINALIZER])


# ------------------------------------------------------------------------------------------------------ Applications


def test_all_applications_sync_by_themselves_and_retry_with_the_newest_commit(tmp_path: Path) -> None:
    for application in named(rendering.rendered(tmp_path, cluster()), "Application").values():
        policy = application["spec"]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True}
        assert policy["retry"]["limit"] == 45
        assert policy["retry"]["refresh"] is True
        assert "FailOnSharedResource=true" in policy["syncOptions"]


@pytest.mark.parametrize(("path", "start"), [("output", "output/demo"), (".", "demo"), ("a/b", "a/b/demo")])
def test_each_application_reads_its_own_folder(tmp_path: Path, path: str, start: str) -> None:
    result = rendering.rendered(tmp_path, cluster(gitops={"path": path, "revision": "v1.2.3"}))
    sources = {name: each["spec"]["source"] for name, each in named(result, "Application").items()}
    assert {each["targetRevision"] for each in sources.values()} == {"v1.2.3"}
    assert {name: each["path"] for name, each in sources.items()} == {
        "demo": f"{start}/argocd",
        "demo-namespaces": f"{start}/namespaces",
        **{f"demo-{addon}": f"{start}/addons/{addon}" for addon in ALL},
    }
    for application in named(result, "Application").values():
        assert application["metadata"]["annotations"][PATHS] == "."


def test_labels_of_the_cluster_are_on_every_application(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster(metadata={"labels": {"team": "platform"}}))
    assert all(each["metadata"]["labels"]["team"] == "platform" for each in named(result, "Application").values())


def test_server_side_apply_only_where_client_side_cannot(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster())
    for name, application in named(result, "Application").items():
        options = application["spec"]["syncPolicy"]["syncOptions"]
        compare = application["metadata"]["annotations"].get("argocd.argoproj.io/compare-options")
        if name == "demo":
            assert compare == "IgnoreExtraneous"
            continue
        large = name == "demo-external-secrets"
        assert ("ServerSideApply=true" in options) is large
        assert compare == ("ServerSideDiff=true" if large else None)


def test_the_digest_changes_when_and_only_when_the_folder_does(tmp_path: Path) -> None:
    def digests(folder: str, **overrides: Any) -> dict[str, str]:
        result = rendering.rendered(tmp_path / folder, cluster(**overrides))
        found = {name: each["metadata"]["annotations"] for name, each in named(result, "Application").items()}
        assert DIGEST not in found.pop("demo")
        return {name: annotations[DIGEST] for name, annotations in found.items()}

    def changed(folder: str, **overrides: Any) -> set[str]:
        return {name for name, digest in digests(folder, **overrides).items() if digest != before[name]}

    before = digests("before")
    assert all(each.startswith("sha256:") for each in before.values())
    assert changed("again") == set()
    assert changed("label", metadata={"labels": {"team": "x"}}) == set()
    assert changed("value", addons={**ALL, "external-dns": {"policy": "sync"}}) == {"demo-external-dns"}
    patch = {"target": {"kind": "Deployment"}, "patch": "[{op: add, path: /metadata/labels/x, value: own}]"}
    assert changed("patch", addons={**ALL, "cert-manager": {"patches": [patch]}}) == {"demo-cert-manager"}
    moved = {**ALL, "external-dns": {"namespace": "dns"}}
    assert changed("namespace", addons=moved) == {"demo-external-dns", "demo-namespaces"}


def test_long_names_are_cut_alike_everywhere(tmp_path: Path) -> None:
    name = "a" * 40
    result = rendering.rendered(tmp_path, cluster(metadata={"name": name}))
    applications, projects = named(result, "Application"), named(result, "AppProject")
    assert len(applications) == len(ALL) + 2
    assert all(len(each) <= 63 for each in [*applications, *projects])
    assert f"{name}-cert-manager" in applications
    assert f"{name}-aws-load-balancer-controller" not in applications
    for each, application in applications.items():
        assert application["spec"]["project"] == (f"{name}-root" if each == name else name)


# ------------------------------------------------------------------------------------ destinations and health check


ARN = {"server": "arn:aws:eks:eu-west-1:123456789012:cluster/demo"}


@pytest.mark.parametrize(
    ("argocd", "addons", "root"),
    [
        ({}, IN_CLUSTER, IN_CLUSTER),
        ({"flavor": "eks-capability"}, ARN, ARN),
        ({"destination": {"name": "shop"}}, {"name": "shop"}, IN_CLUSTER),
        ({"destination": {"server": "https://10.0.0.1"}}, {"server": "https://10.0.0.1"}, IN_CLUSTER),
        (
            {"destination": {"name": "shop"}, "rootDestination": {"name": "in-cluster"}},
            {"name": "shop"},
            {"name": "in-cluster"},
        ),
        ({"flavor": "eks-capability", "rootDestination": {"name": "tools"}}, ARN, {"name": "tools"}),
    ],
)
def test_destinations(tmp_path: Path, argocd: dict[str, Any], addons: dict[str, str], root: dict[str, str]) -> None:
    result = rendering.rendered(tmp_path, cluster(gitops={"argocd": argocd}))
    for name, application in named(result, "Application").items():
        expected = {**root, "namespace": "argocd"} if name == "demo" else addons
        destination = application["spec"]["destination"]
        assert {key: destination.get(key) for key in expected} == expected
        assert len(destination) == 2  # never both name and server
    for name, project in named(result, "AppProject").items():
        for destination in project["spec"]["destinations"]:
            assert {key: destination[key] for key in destination if key != "namespace"} == (
                root if name == "demo-root" else addons
            )


def test_the_health_check_is_one_key_and_claims_nothing_else(tmp_path: Path) -> None:
    found = rendering.rendered(tmp_path, cluster()).object("ConfigMap", "argocd-cm")
    assert found.keys() == {"apiVersion", "kind", "metadata", "data"}
    assert found["metadata"] == {"name": "argocd-cm", "namespace": "argocd"}
    assert list(found["data"]) == ["resource.customizations.health.argoproj.io_Application"]


@pytest.mark.parametrize("argocd", [{"flavor": "eks-capability"}, {"healthCheck": False}])
def test_without_the_health_check_argocd_cm_is_left_alone(tmp_path: Path, argocd: dict[str, Any]) -> None:
    result = rendering.rendered(tmp_path, cluster(gitops={"argocd": argocd}))
    assert named(result, "ConfigMap") == {}
    assert sorted(in_kustomization(result, "bootstrap")) == ["application-demo.yaml", "appproject-demo-root.yaml"]


def test_add_ons_in_kube_system_need_no_namespaces(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster(addons={"external-dns": {"namespace": "kube-system"}}))
    assert named(result, "AppProject").keys() == {"demo-root", "demo"}
    assert named(result, "Application").keys() == {"demo", "demo-external-dns"}
    assert not [path for path in result.tree if path.startswith("namespaces/")]
