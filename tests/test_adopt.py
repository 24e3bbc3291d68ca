"""`okgen adopt` as people call it: what becomes of an edit, what is refused, and what stays as it was."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

import rendering
from adopting import DEPLOYMENT, DNS, HEAD, ROLE, adopt, adopted, again, edit, load, patches, render, replicas

if TYPE_CHECKING:
    from pathlib import Path

TARGET = {
    "group": "apps",
    "version": "v1",
    "kind": "Deployment",
    "name": "external-dns",
    "namespace": "external-dns",
}
IDENTITY = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "external-dns", "namespace": "external-dns"},
}


def container(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = value["spec"]["template"]["spec"]["containers"][0]
    return found


def refused(folder: Path, *arguments: str) -> str:
    """What is said of an edit that cannot be adopted; nothing may have been written."""
    before = rendering.texts(folder)
    code, out, err = adopt(folder, *arguments)
    assert (code, out) == (1, "")
    assert rendering.texts(folder) == before
    return err


def test_an_edit_becomes_a_patch_and_the_file_is_as_rendered(tmp_path: Path) -> None:
    render(tmp_path)
    rendered = (tmp_path / DEPLOYMENT).read_bytes()
    edit(tmp_path, replicas(0))
    assert rendering.okgen("render", "cluster.yaml", cwd=tmp_path)[0] == 1

    code, out, err = adopt(tmp_path)

    assert (code, out) == (0, "")
    assert err == (f"{DEPLOYMENT}: now a strategic merge patch, cluster.yaml:11\nrun okgen render cluster.yaml\n")
    assert (tmp_path / DEPLOYMENT).read_bytes() == rendered
    assert patches(tmp_path) == [{"target": TARGET, "patch": {**IDENTITY, "spec": {"replicas": 0}}}]
    again(tmp_path)
    assert rendering.okgen("check", "cluster.yaml", cwd=tmp_path)[0] == 0


def test_render_names_the_command(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    (tmp_path / f"{DNS}/kustomization.yaml").write_text("", encoding="utf-8")

    _, out, _ = rendering.okgen("render", "cluster.yaml", cwd=tmp_path)

    assert f"help: okgen adopt {DEPLOYMENT} keeps the edit as a patch" in out
    assert out.count("okgen adopt") == 1, "a kustomization cannot be adopted"


def test_dry_run(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    before = rendering.texts(tmp_path)

    code, out, err = adopt(tmp_path, DEPLOYMENT, "--dry-run")

    assert (code, err) == (0, "")
    assert out.startswith("# cluster.yaml, below addons.external-dns.patches\n- target:\n    group: apps\n")
    assert out.endswith("    spec:\n      replicas: 0\n")
    assert rendering.texts(tmp_path) == before


def test_what_is_found_by_name_is_a_strategic_merge(tmp_path: Path) -> None:
    render(tmp_path)

    def change(value: dict[str, Any]) -> None:
        container(value)["resources"]["limits"] = {"memory": "1Gi", "cpu": "1"}
        value["metadata"]["annotations"] = {"team": "1e3", "note": "line\nline\n"}
        value["spec"]["template"]["spec"]["dnsConfig"] = {"options": [{"name": "ndots", "value": "2"}]}

    edit(tmp_path, change)
    adopted(tmp_path)

    (entry,) = patches(tmp_path)
    assert entry["patch"]["spec"]["template"]["spec"]["containers"] == [
        {"name": "external-dns", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
    ]
    assert entry["patch"]["metadata"]["annotations"] == {"team": "1e3", "note": "line\nline\n"}


def test_elements_of_lists_and_deletions_are_operations_that_know_their_place(tmp_path: Path) -> None:
    render(tmp_path)
    old = container(load(tmp_path))["args"]

    def change(value: dict[str, Any]) -> None:
        container(value)["args"][1] = "--changed"
        container(value)["args"].append("--added")
        del container(value)["resources"]["limits"]

    edit(tmp_path, change)
    adopted(tmp_path)

    place = "/spec/template/spec/containers/0"
    assert patches(tmp_path)[0]["patch"] == [
        {"op": "test", "path": f"{place}/name", "value": "external-dns"},
        {"op": "add", "path": f"{place}/args/-", "value": "--added"},
        {"op": "test", "path": f"{place}/args/1", "value": old[1]},
        {"op": "replace", "path": f"{place}/args/1", "value": "--changed"},
        {"op": "remove", "path": f"{place}/resources/limits"},
    ]


def test_a_place_that_another_okgen_fills_otherwise_is_an_error_and_not_another_edit(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, lambda value: container(value)["args"].__setitem__(0, "--changed"))
    text = adopted(tmp_path)
    first = patches(tmp_path)[0]["patch"][1]["value"]
    (tmp_path / "cluster.yaml").write_text(text.replace(f"value: {first}", "value: --other"), encoding="utf-8")

    code, out, _ = rendering.okgen("render", "cluster.yaml", "--format", "concise", cwd=tmp_path)

    assert (code, "OKG322 the patch does not fit Deployment external-dns" in out) == (1, True)


@pytest.mark.parametrize("spec", [{"paused": True}, {"replicas": None}])
def test_a_text_at_the_end_of_a_patch_keeps_its_line_end(tmp_path: Path, spec: dict[str, Any]) -> None:
    render(tmp_path)
    edit(tmp_path, lambda value: value.update(spec={**value["spec"], **spec}, zzz="a\nb\n"))
    text = adopted(tmp_path)

    # Kustomize cuts off the line ends around the text of a patch.
    entry = rendering.load(text)["addons"]["external-dns"]["patches"][0]
    last = rendering.load(entry["patch"].strip())
    assert "a\nb\n" in (last["zzz"] if isinstance(last, dict) else last[-1]["value"])
    edit(tmp_path, lambda value: value["spec"].update(minReadySeconds=7))
    adopted(tmp_path)
    assert len(patches(tmp_path)) == 1


def test_several_files_at_once(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    edit(tmp_path, lambda value: value["rules"].pop(), ROLE)

    adopted(tmp_path, DEPLOYMENT, ROLE, DEPLOYMENT)

    assert [each["target"]["kind"] for each in patches(tmp_path)] == ["Deployment", "ClusterRole"]


def test_one_that_is_refused_keeps_all_from_being_written(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))

    said = refused(tmp_path, DEPLOYMENT, ROLE)

    assert (
        said == f"{ROLE}:1:1: OKG508 the edit cannot be adopted: it is not edited: it holds what okgen writes there\n"
    )


def test_a_second_edit_of_an_object_joins_the_first(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    adopted(tmp_path)
    edit(tmp_path, lambda value: value["spec"].update(minReadySeconds=3, paused=True))
    adopted(tmp_path)
    edit(tmp_path, replicas(1 + load(tmp_path)["spec"]["replicas"]))
    adopted(tmp_path)

    (entry,) = patches(tmp_path)
    assert entry["patch"]["spec"] == {"replicas": 2, "minReadySeconds": 3, "paused": True}


def test_it_joins_in_the_form_that_says_both(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    adopted(tmp_path)
    edit(tmp_path, lambda value: container(value)["args"].append("--added"))
    adopted(tmp_path)

    (entry,) = patches(tmp_path)
    assert [each["op"] for each in entry["patch"]] == ["replace", "test", "add"]


def test_two_edits_of_one_list_that_do_not_go_together(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, lambda value: container(value)["args"].append("--one"))
    adopted(tmp_path)
    edit(tmp_path, lambda value: container(value)["args"].append("--two"))

    assert "both change the same list" in refused(tmp_path)


def test_a_patch_that_someone_has_made_their_own_stays(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    text = adopted(tmp_path).replace("replicas: 0", "replicas: 0 # for the night")
    (tmp_path / "cluster.yaml").write_text(text, encoding="utf-8")
    again(tmp_path)
    edit(tmp_path, lambda value: value["spec"].update(paused=True))

    assert adopted(tmp_path).startswith(text)
    assert len(patches(tmp_path)) == 2


def test_a_run_that_was_killed_in_between_is_finished_by_the_next(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    edited = (tmp_path / DEPLOYMENT).read_bytes()
    assert adopt(tmp_path)[0] == 0
    text = (tmp_path / "cluster.yaml").read_bytes()
    (tmp_path / DEPLOYMENT).write_bytes(edited)  # cluster.yaml is written first

    assert adopt(tmp_path)[0] == 0

    assert (tmp_path / "cluster.yaml").read_bytes() == text
    again(tmp_path)


OTHER = "addons:\n  external-dns:\n    patches:\n      - target: {kind: Deployment}\n        patch: |\n"
HALF = "          kind: Deployment\n          metadata: {name: any}\n"


def test_a_patch_of_someone_else_that_has_the_last_word(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    last = "      - target: {kind: Deployment}\n        patch: |\n"
    last += "          - {op: replace, path: /spec/replicas, value: 9}\n"
    text = adopted(tmp_path) + last
    (tmp_path / "cluster.yaml").write_text(text, encoding="utf-8")
    again(tmp_path)
    edit(tmp_path, replicas(4))

    assert "another patch of the add-on says otherwise" in refused(tmp_path)


def test_beside_a_patch_of_someone_else(tmp_path: Path) -> None:
    render(tmp_path, f"{OTHER}{HALF}          spec: {{paused: true}}\n")
    edit(tmp_path, lambda value: container(value)["args"].append("--added"))

    assert adopted(tmp_path).startswith(f"{HEAD}{OTHER}{HALF}          spec: {{paused: true}}\n      - target:\n")


def test_a_patch_of_someone_else_that_moves_what_the_edit_means(tmp_path: Path) -> None:
    first = "          - {op: remove, path: /spec/template/spec/containers/0/args/0}\n"
    render(tmp_path, f"{OTHER}{first}")
    edit(tmp_path, lambda value: container(value)["args"].__setitem__(1, "--changed"))

    assert "the patch in line 14 of cluster.yaml does not fit what the others make of this object" in refused(tmp_path)


def test_a_patch_of_someone_else_that_okgen_cannot_follow(tmp_path: Path) -> None:
    whole = "          spec: {template: {spec: {containers: [{imagePullPolicy: Always}]}}}\n"
    render(tmp_path, f"{OTHER}{HALF}{whole}")
    edit(tmp_path, lambda value: container(value)["args"].append("--added"))

    assert "line 11 of cluster.yaml changes this object too, and okgen cannot tell what comes of both" in refused(
        tmp_path
    )


def test_what_is_found_by_name_does_not_mind_a_patch_that_okgen_cannot_follow(tmp_path: Path) -> None:
    whole = "          spec: {template: {spec: {containers: [{imagePullPolicy: Always}]}}}\n"
    render(tmp_path, f"{OTHER}{HALF}{whole}")
    edit(tmp_path, replicas(0))

    adopted(tmp_path)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("README.md", "it is made from cluster.yaml"),
        (".okgen.json", "it is okgen's own index"),
        ("iam/external-dns.policy.json", "it is for AWS"),
        ("iam/cloudformation.yaml", "it is for AWS"),
        ("namespaces/namespace-external-dns.yaml", "no patches reach it"),
        ("argocd/application-external-dns.yaml", "Argo CD's objects take no patches"),
        ("bootstrap/kustomization.yaml", "Argo CD's objects take no patches"),
        ("addons/external-dns/kustomization.yaml", "write patches into cluster.yaml"),
        ("addons/external-dns/mine.yaml", "it is not in the index"),
        ("addons/external-dns/clusterrole-external-dns.yaml", "it is not edited"),
    ],
)
def test_files_that_no_patch_reaches(tmp_path: Path, path: str, reason: str) -> None:
    render(tmp_path)
    file = tmp_path / "output/demo" / path
    if "not edited" not in reason and path != ".okgen.json":
        file.write_text("kind: Edited\n", encoding="utf-8")

    assert reason in refused(tmp_path, f"output/demo/{path}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("kind: [", "OKG101"),
        ("", "OKG104"),
        ("a: 1\n---\nb: 2\n", "OKG105"),
        ("- a\n", "it holds no object any more"),
        ("a: &a [*a]\n", "OKG111"),
        ("a: 12:30\n", "OKG108"),
    ],
)
def test_files_that_hold_no_object(tmp_path: Path, text: str, reason: str) -> None:
    render(tmp_path)
    (tmp_path / DEPLOYMENT).write_text(text, encoding="utf-8")

    said = refused(tmp_path)
    assert said.startswith(f"{DEPLOYMENT}:")
    assert reason in said


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda value: value.update(kind="DaemonSet"), "kind was changed from Deployment to DaemonSet"),
        (lambda value: value.update(apiVersion="apps/v2"), "apiVersion was changed"),
        (lambda value: value["metadata"].update(name="other"), "metadata.name was changed from external-dns to other"),
        (
            lambda value: value["metadata"].pop("namespace"),
            "metadata.namespace was changed from external-dns to nothing",
        ),
        (lambda value: value.pop("metadata"), "metadata.name was changed"),
        (
            lambda value: value["metadata"]["labels"].pop("app.kubernetes.io/managed-by"),
            "the label app.kubernetes.io/managed-by is okgen's own",
        ),
        (
            lambda value: value["spec"]["template"]["metadata"]["labels"].update({"app.kubernetes.io/version": "1"}),
            "the label app.kubernetes.io/version is okgen's own",
        ),
        (lambda value: value["metadata"].update(annotations={"a": 1}), "metadata.annotations takes text only"),
        (lambda value: value["metadata"].update(labels=None), "is okgen's own"),
        (lambda value: value["spec"].update({"$patch": "delete"}), 'the key "$patch" means something else'),
        (lambda value: value["spec"].update({"": 1}), 'the key "" means something else'),
        (
            lambda value: value["metadata"].update(annotations={"config.kubernetes.io/index": "1"}),
            "Kustomize keeps config.kubernetes.io/index for itself",
        ),
        (lambda _: None, "only comments or the layout were changed"),
    ],
)
def test_edits_that_are_no_change_of_the_object(tmp_path: Path, change: Any, reason: str) -> None:
    render(tmp_path)
    edit(tmp_path, change)

    assert reason in refused(tmp_path)


def test_a_file_that_is_gone_or_a_link(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / DEPLOYMENT).unlink()
    assert "it was deleted" in refused(tmp_path)
    (tmp_path / DEPLOYMENT).symlink_to("/etc/hostname")
    assert "it is a symbolic link" in refused(tmp_path)


def test_cluster_yaml_that_has_changed_since(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    text = (tmp_path / "cluster.yaml").read_text(encoding="utf-8")
    (tmp_path / "cluster.yaml").write_text(text + "    policy: sync\n", encoding="utf-8")

    assert "has changed since it was rendered" in refused(tmp_path)


def test_cluster_yaml_that_is_wrong(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    text = (tmp_path / "cluster.yaml").read_text(encoding="utf-8")
    (tmp_path / "cluster.yaml").write_text(text + "    policies: sync\n", encoding="utf-8")

    assert refused(tmp_path).startswith("cluster.yaml:10:5: OKG201")


def test_an_edit_larger_than_a_patch_may_be(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, lambda value: value["metadata"].update(annotations={"large": "x" * 70_000}))

    said = refused(tmp_path)
    assert said.startswith(f"{DEPLOYMENT}:1:1: OKG508 the edit cannot be adopted: okgen would refuse the patch: ")
    assert "longer than 65536 characters" in said


def test_outside_of_any_tree(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: 1\n", encoding="utf-8")

    assert adopt(tmp_path, "a.yaml") == (
        2,
        "",
        "okgen: a.yaml: not in a rendered tree, as no folder above it holds .okgen.json\n",
    )


def test_a_tree_that_no_file_of_the_repository_is_rendered_into(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    (tmp_path / "cluster.yaml").rename(tmp_path / "other.yaml")
    (tmp_path / "some.okgen.yaml").write_text("[", encoding="utf-8")

    assert adopt(tmp_path)[0] == 2
    assert adopt(tmp_path, DEPLOYMENT, "--cluster", "other.yaml")[0] == 0
    assert "replicas: 0" in (tmp_path / "other.yaml").read_text(encoding="utf-8")


def test_a_tree_elsewhere(tmp_path: Path) -> None:
    render(tmp_path)
    again(tmp_path, "--output", "elsewhere")
    file = "elsewhere/demo/addons/external-dns/deployment-external-dns.yaml"
    edit(tmp_path, replicas(0), file)

    assert adopt(tmp_path, file)[0] == 2
    assert adopt(tmp_path, file, "--cluster", "cluster.yaml")[0] == 0
    again(tmp_path, "--output", "elsewhere")


def test_without_git_the_file_above_the_tree_counts(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / ".git").rmdir()
    edit(tmp_path, replicas(0))

    assert adopt(tmp_path)[0] == 0


def test_from_another_folder(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))

    code, _, err = rendering.okgen("adopt", "deployment-external-dns.yaml", cwd=tmp_path / DNS)

    assert code == 0
    assert "now a strategic merge patch, ../../../../cluster.yaml:11\n" in err


def test_rights_of_the_file_and_a_link_to_it_stay(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / "real.yaml").write_bytes((tmp_path / "cluster.yaml").read_bytes())
    (tmp_path / "real.yaml").chmod(0o664)
    (tmp_path / "cluster.yaml").unlink()
    (tmp_path / "cluster.yaml").symlink_to("real.yaml")
    edit(tmp_path, replicas(0))
    adopted(tmp_path)

    assert (tmp_path / "cluster.yaml").is_symlink()
    assert (tmp_path / "real.yaml").stat().st_mode & 0o777 == 0o664
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git", "cluster.yaml", "output", "real.yaml"]


def test_a_name_that_is_a_pattern_for_others_is_written_as_one_for_itself(tmp_path: Path) -> None:
    # ClusterSecretStores are named by users, dots included.
    stores = "addons:\n  external-secrets:\n    stores:\n" + "".join(
        f"      - {{name: {name}, prefix: /{name}/}}\n" for name in ("a.b", "axb")
    )
    render(tmp_path, stores)
    file = "output/demo/addons/external-secrets/clustersecretstore-a.b.yaml"
    edit(tmp_path, lambda value: value["spec"].update(refreshInterval=60), file)
    adopted(tmp_path, file)

    assert patches(tmp_path, "external-secrets")[0]["target"]["name"] == r"a\.b"


def test_nothing_else_imports_it() -> None:
    package = rendering.REPOSITORY / "generator" / "okgen"
    importing = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "okgen.adopt" in path.read_text(encoding="utf-8") and path.parent.name != "adopt"
    ]

    assert importing == ["commands/adopt.py"]


def test_a_help_line_holds_the_entry_where_okgen_dares_not_write(tmp_path: Path) -> None:
    shared = "addons:\n  external-dns: &same {}\n  cert-manager: *same\n"
    render(tmp_path, shared)
    edit(tmp_path, replicas(0))
    before = rendering.texts(tmp_path)

    code, _, err = rendering.okgen("adopt", DEPLOYMENT, cwd=tmp_path)

    assert code == 1
    assert "cluster.yaml leaves no place where the entry would change external-dns and nothing else" in err
    assert "help: put this below addons.external-dns.patches:" in err
    assert "replicas: 0" in err
    assert rendering.texts(tmp_path) == before


def test_two_files_that_render_into_the_tree(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    shutil.copy(tmp_path / "cluster.yaml", tmp_path / "copy.cluster.yaml")

    code, _, err = adopt(tmp_path)

    assert code == 2
    assert "several files render there; say which by --cluster: cluster.yaml, copy.cluster.yaml" in err


def test_a_cluster_yaml_that_renders_another_tree(tmp_path: Path) -> None:
    render(tmp_path)
    edit(tmp_path, replicas(0))
    other = (tmp_path / "cluster.yaml").read_text(encoding="utf-8").replace("name: demo", "name: other")
    (tmp_path / "other.cluster.yaml").write_text(other, encoding="utf-8")

    code, _, err = adopt(tmp_path, "--cluster", "other.cluster.yaml", DEPLOYMENT)

    assert code == 2
    assert "output/demo: other.cluster.yaml renders nothing there" in err
