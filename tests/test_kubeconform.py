"""Every tree, rendered for every Kubernetes minor that takes it, against closed schemas of that minor and its CRDs."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import rendering
import test_cases
import upstream

NEWEST, OLDEST = 36, 25
BUILT_IN = "{{.NormalizedKubernetesVersion}}/{{.ResourceKind}}{{.KindSuffix}}.json"
CUSTOM = "crds/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
ELSEWHERE = "/api/_definitions.json"
REFERENCE = re.compile(r'"#/\$defs/([^"]+)"')
HEAD = re.compile(r"apiVersion: (\S+)\nkind: (\S+)\n")
# Known to be beyond the schemas: kubernetes-validate starts with 1.25.
TOO_OLD = {"alb-legacy"}

pytestmark = pytest.mark.no_cover


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for schemas, filled as tests need them."""
    return tmp_path_factory.mktemp("schemas")


def lay_built_in(folder: Path, minor: int, trees: Path) -> None:
    """The strict schemas of one Kubernetes minor for what is in these trees, from the package kubernetes-validate.

    Each with the definitions it needs and no others: kubeconform would read all 1.5 MB of them again for every kind.
    """
    import kubernetes_validate

    source = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v1.{minor}.0-local-strict"
    definitions = json.loads((source / "_definitions.json").read_bytes())["$defs"]
    texts = {name: json.dumps(each) for name, each in definitions.items()}
    target = folder / f"v1.{minor}.0"
    target.mkdir(exist_ok=True)
    for name in schema_names(trees):
        if (source / name).exists():  # else it is a kind of a CustomResourceDefinition
            schema = json.loads((source / name).read_text(encoding="utf-8").replace(f'"{ELSEWHERE}', '"'))
            schema.pop("$id")
            schema["$defs"] = {each: definitions[each] for each in needed(json.dumps(schema), texts)}
            (target / name).write_text(json.dumps(schema), encoding="utf-8")


def schema_names(trees: Path) -> set[str]:
    """The files that the package keeps the schemas of these objects in: ``deployment-apps-v1.json`` and such."""
    texts = {path.read_text(encoding="utf-8") for path in trees.rglob("*.yaml")}
    heads = {found.groups() for text in texts if (found := HEAD.match(text))}
    return {f"{kind.lower()}-{api.split('/')[0].split('.')[0]}-{api.split('/')[-1]}.json" for api, kind in heads} | {
        f"{kind.lower()}-{api}.json" for api, kind in heads if "/" not in api
    }


def needed(text: str, texts: dict[str, str]) -> set[str]:
    """The definitions that a schema refers to, and those that they refer to."""
    found: set[str] = set()
    pending = set(REFERENCE.findall(text))
    while pending:
        found |= pending
        pending = {each for name in pending for each in REFERENCE.findall(texts[name])} - found
    return found


def lay_custom(folder: Path, definitions: list[dict[str, Any]]) -> None:
    """Strict schemas of the kinds that CustomResourceDefinitions define."""
    for definition in definitions:
        spec = definition["spec"]
        target = folder / "crds" / spec["group"]
        target.mkdir(parents=True, exist_ok=True)
        for version in spec["versions"]:
            schema = closed(version["schema"]["openAPIV3Schema"])
            envelope = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
            schema.setdefault("properties", {}).update(envelope)
            place = target / f"{spec['names']['kind'].lower()}_{version['name']}.json"
            place.write_text(json.dumps(schema), encoding="utf-8")


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without room for unknown fields, as the API server's strict validation has it.

    It follows structure only: anyOf and its kin hold rules on values, and a property may itself be called "properties".
    """
    if schema.get("x-kubernetes-int-or-string"):
        schema.pop("type", None)
        schema["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    properties = schema.get("properties", {})
    if properties and "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema["additionalProperties"] = False
    for child in [*properties.values(), schema.get("items"), schema.get("additionalProperties")]:
        if isinstance(child, dict):
            closed(child)
    return schema


@functools.cache
def lay_custom_once(folder: Path, files: tuple[Path, ...]) -> None:
    lay_custom(folder, upstream.definitions(list(files)))


def kubeconform(folder: Path, schemas: Path, minor: int) -> list[dict[str, Any]]:
    """What kubeconform finds in the files of rendered trees that Kubernetes reads."""
    files = [
        str(path)
        for path in sorted(folder.rglob("*.yaml"))
        if path.name not in {"kustomization.yaml", "cluster.yaml", "cloudformation.yaml"}
        and not {"patches", "_vendor"} & set(path.relative_to(folder).parts)
    ]
    version = f"1.{minor}.0"
    call = [rendering.tool("kubeconform"), "-strict", "-summary", "-output", "json", "-kubernetes-version", version]
    locations = [f"-schema-location={schemas}/{each}" for each in (BUILT_IN, CUSTOM)]
    run = subprocess.run([*call, *locations, *files], capture_output=True, text=True, check=False)
    report = json.loads(run.stdout)
    found: list[dict[str, Any]] = report.get("resources", [])
    assert report["summary"]["valid"] + len(found) == len(files), run.stdout[-2000:] + run.stderr
    return found


@pytest.mark.parametrize("minor", range(OLDEST, NEWEST + 1))
def test_trees(minor: int, tmp_path: Path, schemas: Path) -> None:
    argo = sorted(rendering.shared("upstream/argo-cd").rglob("*-crd.yaml"))
    lay_custom_once(schemas, (*argo, *map(upstream.file, sorted(upstream.pins()))))
    for case in sorted(set(test_cases.CASES) - TOO_OLD):
        folder = tmp_path / case
        test_cases.inputs(case, folder)
        file = folder / "cluster.yaml"
        text = file.read_bytes().decode()
        file.write_bytes(re.sub(r'kubernetesVersion: "[0-9.]+"', f'kubernetesVersion: "1.{minor}"', text).encode())
        code, out, err = rendering.okgen("render", "cluster.yaml", cwd=folder)
        assert code == 0, f"{case}: {out}{err}"

    lay_built_in(schemas, minor, tmp_path)
    assert kubeconform(tmp_path, schemas, minor) == []


def test_finds_mistakes(tmp_path: Path, schemas: Path) -> None:
    """The check itself: an unknown field and a wrong type in a tree that is otherwise fine."""
    rendering.rendered(tmp_path, rendering.minimal())
    path = next(tmp_path.rglob("deployment-cert-manager.yaml"))
    deployment = rendering.load(path.read_text(encoding="utf-8"))
    deployment["spec"] |= {"replicas": "two", "replica": 2}
    path.write_text(yaml.safe_dump(deployment), encoding="utf-8")
    lay_built_in(schemas, NEWEST, tmp_path)

    (found,) = kubeconform(path.parent, schemas, NEWEST)

    assert "replicas" in found["msg"]
