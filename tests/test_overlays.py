"""The add-on folders: complete, true to their schema, and rendered by the code without being named in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import rendering
from okgen.addons.catalogue import Addon, Catalogue
from okgen.addons.compiling import compile_template
from okgen.addons.template import TemplateError
from okgen.codes import CODES
from okgen.judge.schema import load
from okgen.resolve import order

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = Catalogue()
each_addon = pytest.mark.parametrize("name", CATALOGUE.names)


@each_addon
def test_the_definition_is_valid(name: str) -> None:
    errors = jsonschema.Draft202012Validator(load("addon")).iter_errors(CATALOGUE.addon(name).definition)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@each_addon
def test_the_definition_names_what_exists(name: str) -> None:
    addon = CATALOGUE.addon(name)
    deployments = {workload.deployment for workload in addon.workloads}
    named = {template.workload for template in addon.manifests if template.workload}
    assert named == {workload.name for workload in addon.workloads}
    assert len(deployments) == len(addon.workloads)
    assert {check["code"] for check in addon.definition.get("checks", [])} <= CODES.keys()
    if addon.definition["lifecycle"] == "archived":
        assert addon.definition["successor"] in CATALOGUE.names
        assert (rendering.REPOSITORY / addon.definition["migration"]).exists()


@each_addon
def test_every_expression_is_in_the_language(name: str) -> None:
    addon = CATALOGUE.addon(name)
    templates = [*addon.manifests, addon.checks, *(each for _, each in addon.derived)]
    templates += [each.when for release in addon.releases for each in release.crds if each.when]
    templates += [addon.statements] if addon.statements else []
    templates += [compile_template(value, name) for value in _texts([addon.definition, addon.schema])]
    for template in templates:
        template.check()


def _texts(value: Any) -> list[str]:
    """Every text of a value that holds an expression by itself."""
    if isinstance(value, str):
        return [value] if "${{" in value else []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in items for text in _texts(item)]


@each_addon
@pytest.mark.parametrize("profile", ["production", "development"])
@pytest.mark.parametrize("identity", ["irsa", "pod-identity"])
def test_the_smallest_example_renders(tmp_path: Path, name: str, profile: str, identity: str) -> None:
    aws = {"identity": identity, "oidcIssuer": rendering.OIDC_ISSUER}
    cluster = rendering.enabled(name, profile=profile, aws=aws)
    result = rendering.rendered(tmp_path, cluster)
    addon = CATALOGUE.addon(name)
    for workload in addon.workloads:
        deployment = result.object("Deployment", workload.deployment)
        assert deployment["spec"]["replicas"] == workload.replicas[profile]


@each_addon
def test_every_object_is_as_the_contract_says(tmp_path: Path, name: str) -> None:
    aws = {"identity": "irsa", "oidcIssuer": rendering.OIDC_ISSUER}
    result = rendering.rendered(tmp_path, rendering.enabled(name, aws=aws))
    for each in result.objects:
        if each["metadata"]["name"] == "argocd-cm":
            assert set(each) == {"apiVersion", "kind", "metadata", "data"}
            continue
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "okgen"
        assert {"app.kubernetes.io/name", "app.kubernetes.io/version"} <= labels.keys()
        if each["kind"] == "Secret":
            assert not each.get("data") and not each.get("stringData")  # noqa: PT018 - one thing: nothing in it
        if each["kind"] == "Deployment":
            _deployment(each)


def _deployment(deployment: dict[str, Any]) -> None:
    spec = deployment["spec"]
    pod = spec["template"]["spec"]
    selector = spec["selector"]["matchLabels"]
    labels = spec["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    assert not {"app.kubernetes.io/version", "app.kubernetes.io/managed-by"} & selector.keys()
    assert {"app.kubernetes.io/version", "app.kubernetes.io/managed-by"} <= labels.keys()
    for container in pod["containers"]:
        assert container["resources"]["requests"]
        assert re.search(r":[^/]+$", container["image"])
        security = {**pod.get("securityContext", {}), **container["securityContext"]}
        assert security["runAsNonRoot"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"]["drop"] == ["ALL"]
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_no_code_names_an_addon() -> None:
    package = rendering.REPOSITORY / "generator" / "okgen"
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert [name for name in CATALOGUE.names if re.search(rf"[\"']{name}\b", text)] == [], path


class _Waiting(Addon):
    """An add-on of which only the order matters."""

    def __init__(self, name: str, after: list[str]) -> None:
        self.name = name
        self.definition = {"after": after}


def test_waves_follow_what_comes_after_what() -> None:
    addons = [_Waiting("a", ["b", "missing"]), _Waiting("b", ["c"]), _Waiting("c", []), _Waiting("d", [])]
    assert order.waves(addons) == {"a": 2, "b": 1, "c": 0, "d": 0}


def test_a_circle_is_an_error() -> None:
    with pytest.raises(TemplateError, match="a after b after a"):
        order.waves([_Waiting("a", ["b"]), _Waiting("b", ["a"])])


def test_all_addons_together_have_an_order() -> None:
    assert order.waves([CATALOGUE.addon(name) for name in CATALOGUE.names])


@each_addon
def test_the_files_are_valid_yaml_with_one_object_each(name: str) -> None:
    base = rendering.OVERLAYS / name / "base"
    for path in sorted(base.iterdir()):
        assert path.suffix == ".yaml"
        value = rendering.load(path.read_text(encoding="utf-8"))
        assert {"apiVersion", "kind", "metadata"} <= value.keys(), path


@pytest.mark.parametrize(("version", "api"), [("1.20", "policy/v1beta1"), ("1.21", "policy/v1")])
def test_disruption_budgets_are_of_a_version_that_the_cluster_serves(tmp_path: Path, version: str, api: str) -> None:
    cluster = rendering.enabled("alb-ingress-controller", kubernetesVersion=version, profile="production")
    result = rendering.rendered(tmp_path, cluster)
    assert result.object("PodDisruptionBudget", "alb-ingress-controller")["apiVersion"] == api
