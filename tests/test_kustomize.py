"""Every directory of every golden tree builds with the pinned kustomize, without flags and without a network."""

from __future__ import annotations

import functools
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import rendering
import test_cases
import upstream

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.no_cover

TREES = test_cases.HERE / "cases"
DIRECTORIES = sorted(
    path.parent.relative_to(TREES).as_posix() for path in TREES.rglob("expected/**/kustomization.yaml")
)
FORBIDDEN = ("namespace", "commonLabels", "commonAnnotations", "labels", "namePrefix", "nameSuffix")
# Resolves to nothing: a build that reaches for the network fails at once instead of passing where there is one.
OFFLINE = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "no_proxy": "", "NO_PROXY": ""}


def build(directory: Path) -> list[dict[str, Any]]:
    """The objects that kustomize makes of a directory."""
    run = subprocess.run(
        [rendering.tool("kustomize"), "build", str(directory)],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(directory), **OFFLINE},
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr, "a deprecation is a build that fails one day"
    return [each for each in map(loaded, run.stdout.split("\n---\n")) if each]


@functools.cache
def loaded(text: str) -> Any:
    """An object; upstream's CRDs are the same in most cases, and by far the longest."""
    return rendering.load(text)


def localise(directory: Path) -> None:
    """Replaces the pinned URLs of a directory by files beside them; skips the test where these are not at hand."""
    kustomization = directory / "kustomization.yaml"
    text = kustomization.read_text(encoding="utf-8")
    for number, url in enumerate(upstream.urls(text)):
        name = f"upstream-{number}.yaml"
        shutil.copy(upstream.file(url), directory / name)
        text = text.replace(url, name)
    kustomization.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Gives a directory of a case's tree in a copy, made once, that needs no network."""
    folder = tmp_path_factory.mktemp("trees")

    def copy(case: str, inside: str) -> Path:
        place = folder / case
        if not place.exists():
            shutil.copytree(TREES / case / test_cases.EXPECTED, place)
        if test_cases.vendors(case) and "/addons/" in inside:
            upstream.vendor(TREES / case / "cluster.yaml", place)
        localise(place / inside)
        return place / inside

    return copy


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_builds(directory: str, copies: Any) -> None:
    case, _, inside = directory.partition(f"/{test_cases.EXPECTED}/")
    place: Path = copies(case, inside)

    objects = build(place)

    assert objects
    identities = [
        (each["apiVersion"], each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in objects
    ]
    assert len(identities) == len(set(identities))
    if case != "patches":
        assert [name for name, each in files(place).items() if each not in objects] == []


def files(place: Path) -> dict[str, Any]:
    """The objects of a directory's own files by name: what is reviewed, and must be what is applied."""
    listed = [path for path in place.glob("*-*.yaml") if not path.name.startswith("upstream-")]
    return {path.name: rendering.load(path.read_text(encoding="utf-8")) for path in listed}


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_has_no_transformer(directory: str) -> None:
    kustomization = rendering.load((TREES / directory / "kustomization.yaml").read_text(encoding="utf-8"))

    assert [key for key in FORBIDDEN if key in kustomization] == []
    assert kustomization["kind"] == "Kustomization"


def test_patches_apply(copies: Any) -> None:
    objects = build(copies("patches", "output/shop-patches/addons/cert-manager"))
    found = {(each["kind"], each["metadata"]["name"]): each for each in objects}

    controller = found["Deployment", "cert-manager"]
    assert "--v=4" in controller["spec"]["template"]["spec"]["containers"][0]["args"]
    deployments = [each for each in objects if each["kind"] == "Deployment"]
    assert [each["metadata"]["labels"]["example.com/cost-center"] for each in deployments] == ["0815"] * 3
    note = "two lines: # not a comment\n{{ neither }} ${{ nor }} a template"
    annotated = {
        name
        for (kind, name), each in found.items()
        if kind == "ServiceAccount" and note in each["metadata"].get("annotations", {}).values()
    }
    assert annotated == {"cert-manager-cainjector", "cert-manager-webhook"}
