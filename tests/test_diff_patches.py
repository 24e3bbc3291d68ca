"""``okgen diff`` and users' patches: what is told are the objects as Kustomize builds them."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import diffing
import rendering
from okgen import emit

ADDON = "external-dns"
WORKLOAD = {"kind": "Deployment", "name": ADDON}
POD = ("spec", "template", "spec")


def merge(kind: str, value: dict[str, Any]) -> str:
    """A strategic merge patch."""
    return emit.dump({"apiVersion": "any/v1", "kind": kind, "metadata": {"name": "any"}, **value})


def container(**what: Any) -> dict[str, Any]:
    """An entry of ``patches`` for the container of external-dns."""
    pod = {"spec": {"containers": [{"name": ADDON, **what}]}}
    return {"target": WORKLOAD, "patch": merge("Deployment", {"spec": {"template": pod}})}


def operations(*listed: dict[str, Any], **target: str) -> dict[str, Any]:
    """An entry with a JSON 6902 patch."""
    return {"target": target or WORKLOAD, "patch": emit.dump(list(listed))}


def cluster(*patches: dict[str, Any], **settings_: Any) -> dict[str, Any]:
    """A cluster with patches of external-dns."""
    own = {**settings_, "patches": list(patches)} if patches else settings_ or None
    return rendering.minimal(dns={"zones": [{"name": "shop.example.com"}]}, addons={ADDON: own})


def found(folder: Path, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is said of a change, the same against the disk and against the commit."""
    diffing.before_and_after(folder, before, after)
    said = diffing.said(folder, "--base", "HEAD")
    assert diffing.said(folder) == said | {"base": None}
    return said


def told(said: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    """The items in short."""
    return [(each["risk"], each["subject"], each["lines"]) for each in said["items"]]


def causes(said: dict[str, Any]) -> set[str]:
    """The places that are named as causes."""
    return {f"{each['file']}:{each['line']} {each['path']}" for item in said["items"] for each in item["causes"]}


def test_an_image_in_a_new_patch_is_told_as_an_image(tmp_path: Path) -> None:
    said = found(tmp_path, cluster(), cluster(container(image="example.com/dns:1")))

    (image, restart) = told(said)
    assert image[:2] == ("image", f"Deployment {ADDON}/{ADDON}")
    assert image[2][0].endswith("→ example.com/dns:1")
    assert restart[0] == "restart"
    assert said["clusters"][0]["addons"][0]["changed"] == 1
    assert causes(said) == {f"cluster.yaml:19 addons.{ADDON}.patches[0].patch"}


def test_of_several_patches_the_one_that_does_it_is_named(tmp_path: Path) -> None:
    lasting = operations({"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}})
    other = container(resources={"limits": {"memory": "1Gi"}})
    said = found(
        tmp_path,
        cluster(lasting, container(image="example.com/dns:1"), other),
        cluster(lasting, container(image="example.com/dns:2"), container(resources={"limits": {"memory": "2Gi"}})),
    )

    image, memory = (next(each for each in said["items"] if each["risk"] == risk) for risk in ("image", "restart"))
    assert [each["path"] for each in image["causes"]] == [f"addons.{ADDON}.patches[1].patch"]
    assert [each["path"] for each in memory["causes"]] == [
        f"addons.{ADDON}.patches[{number}].patch" for number in (1, 2)
    ]


def test_rights_that_a_patch_gives_are_wider_rights(tmp_path: Path) -> None:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
    patch = operations({"op": "add", "path": "/rules/-", "value": rule}, kind="ClusterRole")

    said = found(tmp_path, cluster(), cluster(patch))

    assert told(said) == [("widened-rights", f"ClusterRole {ADDON}", ["+ get: secrets"])]


def test_a_container_that_a_patch_adds_brings_its_powers(tmp_path: Path) -> None:
    context = {"privileged": True, "allowPrivilegeEscalation": False, "capabilities": {"add": ["SYS_ADMIN"]}}
    extra = {"name": "extra", "image": "example.com/extra:1", "securityContext": context}
    pod = {"spec": {"containers": [extra]}}
    patch = {"target": WORKLOAD, "patch": merge("Deployment", {"spec": {"template": pod}})}

    said = found(tmp_path, cluster(), cluster(patch))

    place = "spec.template.spec.containers[extra].securityContext"
    (rights,) = diffing.items(said, "widened-rights")
    assert rights["lines"] == [f"+ {place}.privileged: not set → true", f"+ {place}.capabilities.add: SYS_ADMIN"]
    assert not diffing.items(said, "narrowed-rights")
    (restart,) = diffing.items(said, "restart")
    assert restart["lines"][0].startswith("+ spec.containers[extra]: ")


def test_immutable_fields_of_a_patch_are_refused(tmp_path: Path) -> None:
    patch = operations({"op": "add", "path": "/spec/selector/matchLabels/a", "value": "b"})

    said = found(tmp_path, cluster(), cluster(patch))

    assert told(said) == [("refused", f"Deployment {ADDON}/{ADDON}", ["+ spec.selector.matchLabels.a: b"])]


def test_an_object_that_a_patch_deletes_is_removed(tmp_path: Path) -> None:
    gone = {"target": {"kind": "Service"}, "patch": merge("Service", {"$patch": "delete"})}

    said = found(tmp_path, cluster(), cluster(gone))

    assert [each[:2] for each in told(said)] == [("removal", f"Service {ADDON}/{ADDON}")]
    assert [each["state"] for each in said["built"]] == ["removed"]


def test_a_patch_that_is_taken_out(tmp_path: Path) -> None:
    said = found(tmp_path, cluster(container(image="example.com/dns:1")), cluster())

    assert told(said)[0][0] == "image"
    assert causes(said) == {f"cluster.yaml:14 addons.{ADDON}"}


def test_what_a_patch_hides_is_no_change_of_the_object(tmp_path: Path) -> None:
    place = "/spec/template/spec/priorityClassName"
    pinned = operations({"op": "add", "path": place, "value": "pinned"})

    said = found(tmp_path, cluster(pinned), cluster(pinned, priorityClassName="high"))

    (item,) = said["items"]
    assert (item["risk"], item["note"]) == ("other", "the patches make the same of it as before")
    assert item["lines"] == ["+ spec.template.spec.priorityClassName: high"]
    assert not said["built"]
    assert causes(said) == {f"cluster.yaml:15 addons.{ADDON}.priorityClassName"}


def test_another_patch_that_does_the_same(tmp_path: Path) -> None:
    one = operations({"op": "replace", "path": "/spec/replicas", "value": 3})
    other = {"target": WORKLOAD, "patch": merge("Deployment", {"spec": {"replicas": 3}})}

    said = found(tmp_path, cluster(one), cluster(other))

    (item,) = said["items"]
    assert item["note"] == "it makes the same of every object as before"
    assert not said["empty"]


def test_what_cannot_be_told_is_shown_as_text_with_the_reason(tmp_path: Path) -> None:
    nameless = {
        "target": WORKLOAD,
        "patch": merge("Deployment", {"spec": {"template": {"spec": {"containers": [{}]}}}}),
    }
    said = found(tmp_path, cluster(), cluster(nameless, policy="sync"))

    patch, arguments = (
        next(each for each in said["items"] if each["subject"].startswith(start)) for start in ("Kust", "Deploy")
    )
    assert patch["lines"][0].startswith("+ patches: ")
    assert patch["note"] == f"what becomes of Deployment {ADDON}/{ADDON} cannot be told: elements without name"
    assert arguments["lines"] == ["~ --policy: upsert-only → sync"]
    assert "what the patches then make of it cannot be told" in arguments["note"]
    assert not said["built"]


def test_upstreams_files_are_not_told_of(tmp_path: Path) -> None:
    patch = operations({"op": "add", "path": "/metadata/labels/a", "value": "b"}, kind="CustomResourceDefinition")

    said = found(tmp_path, cluster(sources=["crd"]), cluster(patch, sources=["crd"]))

    (item,) = said["items"]
    assert item["subject"] == f"Kustomization addons/{ADDON}"
    assert item["note"] == "what it does to upstream's files, which the tree does not hold, is not told"


def test_without_a_commit_the_patch_that_does_it_is_found(tmp_path: Path) -> None:
    lasting = operations({"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}})
    rendering.rendered(tmp_path, cluster(lasting, container(image="example.com/dns:1")))
    after = cluster(lasting, container(image="example.com/dns:2"))
    (tmp_path / "cluster.yaml").write_text(rendering.written(after), encoding="utf-8")

    said = diffing.said(tmp_path)

    image = next(each for each in said["items"] if each["risk"] == "image")
    assert [each["path"] for each in image["causes"]] == [f"addons.{ADDON}.patches[1].patch"]


@pytest.mark.parametrize("options", [("--base", "HEAD"), ()])
def test_a_patch_in_a_file_of_its_own(tmp_path: Path, options: tuple[str, ...]) -> None:
    given_ = cluster({"target": WORKLOAD, "path": "patch.yaml"})
    (tmp_path / "patch.yaml").write_text(container(image="example.com/dns:1")["patch"], encoding="utf-8")
    diffing.before_and_after(tmp_path, given_, given_)
    (tmp_path / "patch.yaml").write_text(container(image="example.com/dns:2")["patch"], encoding="utf-8")

    said = diffing.said(tmp_path, *options)

    assert told(said)[0] == (
        "image",
        f"Deployment {ADDON}/{ADDON}",
        [f"~ containers[{ADDON}].image: example.com/dns:1 → example.com/dns:2"],
    )
    assert causes(said) == {f"cluster.yaml:19 addons.{ADDON}.patches[0].path"}


def test_a_kustomization_that_someone_wrote(tmp_path: Path) -> None:
    diffing.before_and_after(tmp_path, cluster(), cluster(container(image="x")))
    path = tmp_path / f"output/demo/addons/{ADDON}/kustomization.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "namePrefix: a-\n", encoding="utf-8")

    said = diffing.said(tmp_path)

    (item,) = (each for each in said["items"] if "patches" in str(each["lines"]))
    assert item["note"] == "what the patches make of the objects cannot be told: kustomization.yaml has namePrefix"


IMAGES = st.sampled_from(["a:1", "b:2"])
PATCHES = st.lists(
    st.one_of(
        IMAGES.map(lambda image: container(image=image)),
        st.sampled_from(["--a", "--b"]).map(lambda each: container(env=[{"name": "E", "value": each}])),
        st.integers(0, 2).map(lambda each: operations({"op": "replace", "path": "/spec/replicas", "value": each})),
        st.just(operations({"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--c"})),
        st.just({"target": {"kind": "Service"}, "patch": merge("Service", {"$patch": "delete"})}),
    ),
    max_size=3,
)


def built(folder: Path) -> dict[str, Any]:
    """What the real Kustomize builds of the add-on, by kind and name."""
    place = folder / f"output/demo/addons/{ADDON}"
    run = subprocess.run([rendering.tool("kustomize"), "build", str(place)], capture_output=True, text=True, check=True)
    return {f"{each['kind']} {each['metadata']['name']}": each for each in yaml.safe_load_all(run.stdout)}


@pytest.mark.tools
@settings(
    max_examples=12, phases=(Phase.explicit, Phase.generate), suppress_health_check=[HealthCheck.too_slow]
)  # each renders two trees, compares and builds them
@given(one=PATCHES, other=PATCHES, priority=st.sampled_from(["low", "high"]))
def test_what_is_built_is_told_exactly(one: list[Any], other: list[Any], priority: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, after = cluster(*one), cluster(*other, priorityClassName=priority)
        rendering.rendered(folder / "new", after)
        diffing.before_and_after(folder / "old", before, after)
        old, new = built(folder / "old"), built(folder / "new")

        said = diffing.said(folder / "old")

        touched = {f"{each['kind']} {each['name']}": each for each in [*said["objects"], *said["built"]]}
        for key, each in touched.items():
            if each["addon"] != ADDON or key not in {**old, **new} or each["form"] != "kubernetes":
                continue
            if each not in said["built"] and any(
                item["note"] == "the patches make the same of it as before" for item in said["items"]
            ):
                assert old[key] == new[key]
            elif each["state"] == "changed":
                assert diffing.form(diffing.applied(old[key], each["fields"])) == diffing.form(new[key])
            else:
                assert (each["old"], each["new"]) == (old.get(key), new.get(key))
        assert {key for key in {**old, **new} if old.get(key) != new.get(key)} <= touched.keys()
