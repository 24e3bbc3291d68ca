"""What ``okgen diff`` compares with: trees on disk and in Git, edited, hostile, gone; and what it says in the end."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import diffing
import rendering
import repositories
from okgen import __version__
from okgen.diff.markdown import LIMIT

if TYPE_CHECKING:
    from pathlib import Path

ADDONS: dict[str, Any] = {"external-dns": {"policy": "upsert-only"}}
ZONES = {"zones": [{"name": "a.example.com"}]}
TREE = "output/demo"
DEPLOYMENT = f"{TREE}/addons/external-dns/deployment-external-dns.yaml"


def cluster(name: str = "demo", **keys: Any) -> dict[str, Any]:
    return rendering.minimal(metadata={"name": name}, dns=ZONES, addons=None) | {"addons": ADDONS} | keys


def fleet(root: Path, *names: str) -> None:
    """A repository with these clusters, rendered and committed."""
    for name in names:
        (root / name).mkdir(parents=True)
        text = rendering.written(cluster(name))
        (root / name / "cluster.yaml").write_text(text, encoding="utf-8")
    diffing.committed(root)
    assert rendering.okgen("render", ".", cwd=root)[0] == 0
    diffing.committed(root)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the cluster demo, rendered and committed."""
    rendering.rendered(tmp_path, cluster())
    diffing.committed(tmp_path)
    return tmp_path


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def full(root: Path, *arguments: str) -> tuple[int, str, str]:
    return rendering.okgen("diff", *arguments, cwd=root)


# ------------------------------------------------------------------------------------------------------------ no effect


def test_no_effect_is_said_plainly(repository: Path) -> None:
    for arguments in ((), ("--base", "HEAD"), ("--expect-empty",), ("--format", "markdown")):
        code, out, err = full(repository, *arguments)
        assert (code, err) == (0, "")
        assert "no effect" in out


def test_form_and_followers_have_no_effect_but_are_a_difference(repository: Path) -> None:
    edit(repository / DEPLOYMENT, "apiVersion: apps/v1\n", "# a comment\napiVersion: apps/v1\n")
    edit(repository / TREE / "README.md", "# demo", "# Demo")
    edit(repository / TREE / "argocd/application-external-dns.yaml", "sha256:", "sha256:0")

    code, out, _ = full(repository)

    assert code == 0
    assert "demo     no effect" in out
    assert "folded: 3 files and 1 field that merely follow" in out
    code, _, err = full(repository, "--expect-empty")
    assert code == 1
    assert f"expected no difference, and 3 files differ: {TREE}/README.md, " in err
    found = diffing.said(repository)
    assert [(each["file"], [one["folded"] for one in each["fields"]]) for each in found["objects"]] == [
        ("addons/external-dns/deployment-external-dns.yaml", []),
        ("argocd/application-external-dns.yaml", [True]),
    ]


def test_a_digest_that_is_none_is_not_passed_over(repository: Path) -> None:
    file = repository / TREE / "argocd/application-external-dns.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"tree-digest: sha256:.*", "tree-digest: [a, b]", text), encoding="utf-8")
    (change,) = diffing.said(repository)["objects"]
    assert change["fields"][0]["folded"]
    edit(file, "prune: true", "prune: false")
    (item,) = diffing.said(repository)["items"]
    assert item["lines"] == ["~ spec.syncPolicy.automated.prune: false → true"]


# ------------------------------------------------------------------------------------------------------- edits by hand


def test_an_edit_shows_as_what_a_render_would_undo(repository: Path) -> None:
    edit(repository / DEPLOYMENT, "replicas: 1", "replicas: 7")

    code, out, _ = full(repository)

    assert code == 1
    assert "Deployment external-dns/external-dns (edited by hand)" in out
    assert "~ spec.replicas: 7 → 1" in out
    assert "cause: edited by hand" in out
    assert "1 file is not as okgen wrote it: a render stops there" in out
    diffing.committed(repository, "edited")
    (item,) = diffing.said(repository, "--base", "HEAD")["items"]
    assert [each["reason"] for each in item["causes"]] == ["edited by hand"]
    assert diffing.said(repository, "--base", "HEAD~1")["empty"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"a: [\x1b[31m\n", "line 1: control character U+001B"),
        (b"\xff\xfe", "not UTF-8"),
        (b"a" * (2 << 20), "larger than 1 MiB"),
        (b"- a\n", "no mapping"),
        (b"a: b\n", "no Kubernetes object"),
        (b"kind: 1\napiVersion: v1\nmetadata: {name: a}\n", "no Kubernetes object"),
        (b"a: &a [*a]\n", "line 1: "),
        (b"a: 1\na: 2\n", "line 2: "),
        (b"a: b\n---\na: b\n", "line 2: "),
        (b"a: " + b"[" * 10_000, "line 1: "),
        (b"", "line 1: the file holds no data"),
    ],
    ids=range(11),
)
def test_what_is_no_data_is_shown_as_text(repository: Path, content: bytes, why: str) -> None:
    (repository / DEPLOYMENT).write_bytes(content)
    diffing.committed(repository, "hostile")

    for arguments in ((), ("--base", "HEAD")):
        found = diffing.said(repository, *arguments)
        (change,) = found["objects"]
        assert change["form"] == "text"
        assert change["remark"].startswith(f"edited by hand; cannot be compared as data: {why}")
        code, out, err = full(repository, *arguments)
        assert (code, err) == (1, "")
        assert ("1 file is not as okgen wrote it: a render stops there" in out) is (not arguments)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[]", b'{"a":' * 200])
def test_policies_that_are_none(repository: Path, content: bytes) -> None:
    (repository / TREE / "iam/external-dns.policy.json").write_bytes(content)
    (change,) = diffing.said(repository)["objects"]
    assert change["form"] == "text"
    deep = b'{"a":' * 200 + b"1" + b"}" * 200
    (repository / TREE / "iam/external-dns.policy.json").write_bytes(deep)
    (change,) = diffing.said(repository)["objects"]
    assert "more than 100 levels" in change["remark"]


def test_another_object_in_the_file_is_one_gone_and_one_new(repository: Path) -> None:
    edit(repository / DEPLOYMENT, "  name: external-dns\n  namespace", "  name: other\n  namespace")
    found = diffing.said(repository)
    assert [(each["state"], each["name"]) for each in found["objects"]] == [
        ("added", "external-dns"),
        ("removed", "other"),
    ]


def test_an_object_in_another_file_is_the_same(repository: Path) -> None:
    service, deployment = repository / TREE / "addons/external-dns/service-external-dns.yaml", repository / DEPLOYMENT
    texts = service.read_text(encoding="utf-8"), deployment.read_text(encoding="utf-8")
    service.write_text(texts[1], encoding="utf-8")
    deployment.write_text(texts[0], encoding="utf-8")
    found = diffing.said(repository)
    assert found["empty"]
    assert all(each["was"] for each in found["objects"])


def test_a_file_that_is_missing_is_no_new_addon(repository: Path) -> None:
    (repository / TREE / "argocd/application-external-dns.yaml").unlink()
    (item,) = diffing.said(repository)["items"]
    assert (item["subject"], item["note"]) == ("Application argocd/demo-external-dns", "new")


def test_very_many_fields_do_not_take_very_long(repository: Path) -> None:
    text = (repository / DEPLOYMENT).read_text(encoding="utf-8")
    many = "".join(f"        - --flag-{number}=1\n        - --source=s{number}\n" for number in range(12_000))
    assert "        args:\n" in text
    (repository / DEPLOYMENT).write_text(text.replace("        args:\n", f"        args:\n{many}"), encoding="utf-8")
    statements = {"Version": "2012-10-17", "Statement": [{"Sid": "A", "Effect": "Allow", "Action": ["a*"] * 90_000}]}
    (repository / TREE / "iam/external-dns.policy.json").write_text(json.dumps(statements), encoding="utf-8")
    code, _, _ = rendering.okgen_process("diff", cwd=repository)
    assert code == 1


def test_a_symbolic_link_is_not_followed(repository: Path) -> None:
    (repository / "secret").write_text("hidden content", encoding="utf-8")
    (repository / DEPLOYMENT).unlink()
    (repository / DEPLOYMENT).symlink_to(repository / "secret")
    diffing.committed(repository, "link")
    for arguments in ((), ("--base", "HEAD")):
        _, out, _ = full(repository, *arguments)
        assert "a symbolic link was there" in out
        assert "hidden content" not in out


def test_too_much_is_not_compared(repository: Path) -> None:
    index = json.loads((repository / TREE / ".okgen.json").read_text(encoding="utf-8"))
    for number in range(12):
        index["files"][f"addons/external-dns/big-{number}.yaml"] = "0" * 64
        (repository / TREE / f"addons/external-dns/big-{number}.yaml").write_bytes(b"# %d\n" % number * 225_000)
    (repository / TREE / ".okgen.json").write_text(json.dumps(index), encoding="utf-8")
    diffing.committed(repository, "big")
    for arguments in ((), ("--base", "HEAD")):
        found = diffing.said(repository, *arguments)
        assert len(found["objects"]) == 12
        assert "too much differs to compare it all" in {each["remark"] for each in found["objects"]}


# ----------------------------------------------------------------------------------------------------------- revisions


@pytest.mark.parametrize(
    "name", ["nonsense", "--all", "-h", "", "HEAD:cluster.yaml", "HEAD..HEAD", "HEAD --", "\udcff"]
)
def test_what_is_no_revision_exits_with_2(repository: Path, name: str) -> None:
    code, out, err = full(repository, f"--base={name}")
    assert (code, out) == (2, "")
    assert err.startswith("okgen: not the name of a Git revision" if name[:1] in ("", "-") else "okgen: ")
    assert "Traceback" not in err


def test_without_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, cluster())
    assert full(tmp_path, "--base", "HEAD")[0] == 2
    assert "is in no Git repository" in full(tmp_path, "--base", "HEAD")[2]
    assert full(tmp_path)[0] == 0


def test_a_revision_is_of_the_repository_that_holds_the_trees(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = str(tmp_path_factory.mktemp("elsewhere"))
    code, _, err = full(repository, "--base", "HEAD", "--output", elsewhere)
    assert code == 2
    assert "is outside of the repository" in err


def test_output_names_the_place_in_the_revision(repository: Path) -> None:
    assert rendering.okgen("render", "--output", "other", cwd=repository)[0] == 0
    diffing.committed(repository, "other")
    found = diffing.said(repository, "--base", "HEAD", "--output", "other")
    assert found["empty"]
    assert found["clusters"][0]["folder"] == "other/demo"
    assert diffing.said(repository, "--base", "HEAD~1", "--output", "other")["clusters"][0]["state"] == "added"


def test_a_branch_that_moved_on(repository: Path) -> None:
    cluster_file = repository / "cluster.yaml"
    subprocess.run(["git", "branch", "old"], cwd=repository, check=True)
    edit(cluster_file, "upsert-only", "sync")
    assert rendering.okgen("render", cwd=repository)[0] == 0
    diffing.committed(repository, "sync")
    assert diffing.said(repository)["empty"]
    assert diffing.said(repository, "--base", "HEAD")["empty"]
    found = diffing.said(repository, "--base", "old")
    assert {one["path"] for each in found["items"] for one in each["causes"]} == {"addons.external-dns.policy"}


def test_a_tree_at_the_top_of_the_repository(tmp_path: Path) -> None:
    given = cluster(gitops={"repository": "https://git.example.com/a/b.git", "path": "."})
    diffing.before_and_after(
        tmp_path, given, given | {"kubernetesVersion": "1.33", "addons": {"external-dns": {"policy": "sync"}}}
    )
    shutil.rmtree(tmp_path / "demo")
    found = diffing.said(tmp_path, "--base", "HEAD")
    assert found["clusters"][0]["state"] == "changed"


def test_what_a_hook_is_told_of_another_repository_does_not_count(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(repository / "elsewhere"))
    assert diffing.said(repository, "--base", "HEAD")["empty"]


def test_a_damaged_index(repository: Path) -> None:
    (repository / TREE / ".okgen.json").write_text("{", encoding="utf-8")
    diffing.committed(repository, "damaged")
    code, out, err = full(repository)
    assert (code, out) == (1, "")
    assert "OKG501" in err
    code, out, err = full(repository, "--base", "HEAD")
    assert (code, out) == (2, "")
    assert f"at that revision, {TREE}/.okgen.json the index is damaged" in err


def test_without_git_there_is_no_revision_but_a_comparison_with_the_disk(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository / "empty"))
    code, _, err = full(repository, "--base", "HEAD")
    assert (code, err) == (2, "okgen: --base needs git: No such file or directory\n")
    edit(repository / "cluster.yaml", "upsert-only", "sync")
    found = diffing.said(repository)
    assert {one["path"] for each in found["items"] for one in each["causes"]} == {"addons.external-dns.policy"}


@pytest.mark.parametrize("options", [(), ("--base", "HEAD")])
def test_a_cluster_yaml_that_stood_in_another_file(repository: Path, options: tuple[str, ...]) -> None:
    (repository / "clusters").mkdir()
    (repository / "cluster.yaml").rename(repository / "clusters/demo.cluster.yaml")
    edit(repository / "clusters/demo.cluster.yaml", "upsert-only", "sync")

    found = diffing.said(repository, *options, ".")

    causes = {(one["reason"], one["file"], one["path"]) for each in found["items"] for one in each["causes"]}
    assert causes == {(None, "clusters/demo.cluster.yaml", "addons.external-dns.policy")}


def test_a_shallow_clone_lacks_the_revision_and_says_how_to_get_it(repository: Path, tmp_path: Path) -> None:
    diffing.committed(repository, "another")
    clone = tmp_path / "clone"
    repositories.git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))

    code, _, err = rendering.okgen("diff", "--base", "HEAD~1", cwd=clone)

    assert code == 2
    assert "this clone is shallow: git fetch --depth=1 origin COMMIT gets the one, git fetch --unshallow all" in err
    assert diffing.said(clone, "--base", "HEAD")["empty"]


def test_sha256_repositories(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--object-format=sha256"], cwd=tmp_path, check=True)
    rendering.rendered(tmp_path, cluster())
    diffing.committed(tmp_path)
    assert diffing.said(tmp_path, "--base", "HEAD")["clusters"][0]["state"] == "same"


# -------------------------------------------------------------------------------------------------------------- causes


def as_of(root: Path, version: str) -> None:
    """Lets an index say that another okgen wrote the tree, one that had another argument, and commits it."""
    edit(root / DEPLOYMENT, "--interval=1m", "--interval=5m")
    index = json.loads((root / TREE / ".okgen.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256((root / DEPLOYMENT).read_bytes()).hexdigest()
    index["files"][DEPLOYMENT.removeprefix(f"{TREE}/")] = digest
    (root / TREE / ".okgen.json").write_text(json.dumps(index | {"okgen": version}), encoding="utf-8")
    diffing.committed(root, version)


def causes(found: dict[str, Any]) -> dict[str, list[str]]:
    """The causes of each item by its first line, or subject."""
    return {
        (each["lines"] or [each["subject"]])[0]: [one["reason"] or one["path"] for one in each["causes"]]
        for each in found["items"]
    }


def test_an_upgrade_is_named_where_it_is_the_cause(repository: Path) -> None:
    as_of(repository, "0.0.1")
    edit(repository / "cluster.yaml", "upsert-only", "sync")

    found = causes(diffing.said(repository, "--base", "HEAD"))

    upgrade = f"okgen upgrade 0.0.1 → {__version__}"
    assert found["~ --policy: upsert-only → sync"] == ["addons.external-dns.policy"]
    assert found["~ --interval: 5m → 1m"] == [upgrade, "addons.external-dns.policy"], "the pods restart by both"
    assert found == causes(diffing.said(repository))


def test_the_same_okgen_is_never_called_an_upgrade(repository: Path) -> None:
    as_of(repository, __version__)
    (found,) = causes(diffing.said(repository, "--base", "HEAD")).values()
    assert found == ["the old tree was not what its cluster.yaml renders"]
    (found,) = causes(diffing.said(repository)).values()
    assert found == ["okgen's default"]


def test_without_a_commit_the_new_values_are_traced(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, cluster())
    edit(tmp_path / "cluster.yaml", "upsert-only", "sync")
    found = diffing.said(tmp_path)
    assert {one["path"] for each in found["items"] for one in each["causes"]} == {"addons.external-dns.policy"}
    edit(tmp_path / "cluster.yaml", "    policy: sync\n", "    policy: upsert-only\n    replicas: 0\n")
    (item,) = diffing.said(tmp_path)["items"]
    assert [(one["file"], one["path"]) for one in item["causes"]] == [("cluster.yaml", "addons.external-dns.replicas")]


MOVES = {
    "metadata.name": ("name: demo", "name: demo2", "output/demo2"),
    "gitops.path": ("gitops:\n", "gitops:\n  path: trees\n", "trees/demo"),
}


@pytest.mark.parametrize("options", [(), ("--base", "HEAD")])
@pytest.mark.parametrize("key", MOVES)
def test_a_cluster_that_moved_is_compared_with_its_old_tree(
    repository: Path, key: str, options: tuple[str, ...]
) -> None:
    old, new, folder = MOVES[key]
    edit(repository / "cluster.yaml", old, new)

    found = diffing.said(repository, *options, ".")

    (cluster_,) = found["clusters"]
    assert (cluster_["state"], cluster_["folder"], cluster_["was"]) == ("changed", folder, "output/demo")
    item = next(each for each in found["items"] if each["subject"].startswith("cluster "))
    assert f"~ tree: output/demo → {folder}" in item["lines"]
    assert "the old tree stays, and Argo CD goes on syncing it" in item["note"]
    assert {one["path"] for each in found["items"] for one in each["causes"]} == {key}
    assert {each["file"] for each in found["objects"] if each["state"] == "changed"}


def test_a_renamed_cluster_orphans_its_records_and_prunes_nothing(repository: Path) -> None:
    edit(repository / "cluster.yaml", "name: demo", "name: demo2")
    shutil.rmtree(repository / "output/demo")

    found = diffing.said(repository, "--base", "HEAD", ".")

    (dns,) = diffing.items(found, "dns")
    assert "orphaned: all records under the owner id demo-" in dns["note"]
    first, *rest = diffing.items(found, "removal")
    assert first["note"].endswith("the old tree is gone: Argo CD cannot sync it any more, and deletes nothing by that")
    assert {each["note"] for each in rest} == {"it stays as it is until you remove the cluster under its old name"}


def test_a_cluster_under_another_name_beside_a_new_one_of_the_old_name(repository: Path) -> None:
    other = repository / "other"
    other.mkdir()
    shutil.copy(repository / "cluster.yaml", other / "cluster.yaml")
    edit(repository / "cluster.yaml", "name: demo", "name: demo2")

    found = diffing.said(repository, "--base", "HEAD", ".")

    states = {each["name"]: (each["state"], each["was"]) for each in found["clusters"]}
    assert states == {"demo2": ("changed", "output/demo"), "demo": ("same", None)}


def test_without_the_old_tree_a_renamed_cluster_is_a_new_one(repository: Path) -> None:
    edit(repository / "cluster.yaml", "name: demo", "name: demo2")
    shutil.rmtree(repository / "output/demo")

    (cluster_,) = diffing.said(repository)["clusters"]

    assert (cluster_["state"], cluster_["was"]) == ("added", None)


def test_what_many_clusters_share_is_traced_once(tmp_path: Path) -> None:
    names = [f"c{number:02}" for number in range(28)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "cluster.yaml").write_text(rendering.written(cluster(name)), encoding="utf-8")
    (tmp_path / ".git").mkdir()  # a repository without a commit
    assert rendering.okgen("render", ".", cwd=tmp_path)[0] == 0
    for place, name in enumerate(names):
        edit(
            tmp_path / name / "cluster.yaml",
            "kind: Cluster",
            "# one line more\nkind: Cluster" if place % 2 else "kind: Cluster",
        )
        edit(tmp_path / name / "cluster.yaml", "upsert-only", "sync")
    found = [each for each in diffing.said(tmp_path, ".")["items"] if each["risk"] == "dns"]
    lines = {one["file"]: one["line"] for each in found for one in each["causes"]}
    assert lines.keys() == {f"{name}/cluster.yaml" for name in names}
    assert len(set(lines.values())) == 2, "the line is the cluster's own"
    for place, name in enumerate(names):
        edit(tmp_path / name / "cluster.yaml", "    policy: sync", f"    policy: upsert-only\n    txtOwnerId: x{place}")
    found = diffing.said(tmp_path, ".")["items"]
    unknown = [each for each in found if each["causes"][0]["reason"] == "no commit holds the cluster.yaml of before"]
    assert unknown, "tracing each of many clusters would take too long"


def test_a_new_cluster(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(rendering.written(cluster()), encoding="utf-8")
    found = diffing.said(tmp_path)
    assert found["clusters"][0] | {"addons": [], "files": []} == {
        "name": "demo",
        "file": "cluster.yaml",
        "folder": TREE,
        "was": None,
        "state": "added",
        "renderedBy": None,
        "verdict": "new cluster",
        "addons": [],
        "files": [],
        "followers": ["README.md"],
    }
    (item,) = found["items"]
    assert (item["subject"], item["causes"][0]["file"]) == ("new cluster demo", "cluster.yaml")


# ------------------------------------------------------------------------------------------------------------ many


def test_the_same_in_many_clusters_stands_once(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(6)]
    fleet(tmp_path, *names)
    for name in names[:5]:
        edit(tmp_path / name / "cluster.yaml", "upsert-only", "sync")
    found = diffing.said(tmp_path, ".")
    dns = [each for each in found["items"] if each["risk"] == "dns"]
    assert sum(len(each["clusters"]) for each in dns) == 5
    _, out, _ = full(tmp_path, ".")
    assert out.count("~ --policy: upsert-only → sync") == 1
    assert "in c0, c1, c2 and 2 more" in out
    assert "c0/cluster.yaml:" in out
    assert re.search(r"^c5 +\. +no effect$", out, re.MULTILINE)


def test_names_of_clusters_in_values_do_not_keep_changes_apart(tmp_path: Path) -> None:
    fleet(tmp_path, "one", "two")
    for name in ("one", "two"):
        edit(tmp_path / name / "cluster.yaml", "upsert-only", "upsert-only\n    namespace: dns")
    _, out, _ = full(tmp_path, ".")
    assert out.count("Application argocd/<cluster>-external-dns") == 1


def test_a_cluster_that_is_gone(tmp_path: Path) -> None:
    fleet(tmp_path, "one", "two")
    (tmp_path / "two" / "cluster.yaml").unlink()
    for arguments in ((), ("--base", "HEAD")):
        found = diffing.said(tmp_path, ".", *arguments)
        assert [(each["name"], each["file"], each["state"]) for each in found["clusters"]] == [
            ("one", "one/cluster.yaml", "same"),
            ("two", None, "removed"),
        ]
        assert {each["risk"] for each in found["items"]} == {"removal", "dns"}
        assert all(
            "no cluster.yaml has the name two" in one["reason"] for each in found["items"] for one in each["causes"]
        )
    assert diffing.said(tmp_path, "one")["empty"], "a part of the repository does not say what is gone"
    shutil.rmtree(tmp_path / "output" / "two")
    assert diffing.said(tmp_path, ".")["empty"]
    assert [each["state"] for each in diffing.said(tmp_path, ".", "--base", "HEAD")["clusters"]] == ["same", "removed"]


def test_many_clusters_that_are_gone_are_told_in_a_few_words(tmp_path: Path) -> None:
    clusters = [f"c{number}" for number in range(9)]
    fleet(tmp_path, "one", *clusters)
    for name in clusters:
        (tmp_path / name / "cluster.yaml").unlink()
    _, out, _ = full(tmp_path, ".")
    assert all(len(line) < 500 for line in out.splitlines())
    assert "cause: no cluster.yaml has the name c0 any more; okgen leaves its tree output/c0 for you to delete, " in out
    assert "c2 for you to delete and 6 more" in out


@pytest.mark.parametrize("is_repository", [False, True])
def test_trees_beside_those_of_the_run_are_not_gone_when_output_is_given(tmp_path: Path, is_repository: bool) -> None:
    fleet(tmp_path, "one", "two")
    if not is_repository:
        shutil.rmtree(tmp_path / ".git")
    for arguments in (("one", "two"), (".",), ("one",)):
        assert diffing.said(tmp_path, *arguments, "--output", "output")["empty"]


def test_problems_go_to_stderr_and_nothing_is_compared(tmp_path: Path) -> None:
    fleet(tmp_path, "one", "two")
    edit(tmp_path / "two" / "cluster.yaml", "upsert-only", "upsert")
    code, out, err = full(tmp_path, ".", "--format", "json")
    assert (code, out) == (1, "")
    assert "OKG204" in err


# ------------------------------------------------------------------------------------------------------------ markdown


def test_a_comment_never_is_too_long(tmp_path: Path) -> None:
    names = [f"{'c' * 30}{number:03}" for number in range(60)]
    fleet(tmp_path, *names)
    for name in names:
        folder = tmp_path / "output" / name / "addons/external-dns"
        lines = "".join(f"- {name[-3:]} {'`' * 30} \U0001f600 {number}\n" for number in range(300))
        (folder / "deployment-external-dns.yaml").write_text(lines, encoding="utf-8")
        edit(folder / "service-external-dns.yaml", "port: 7979", f"port: 7{name[-3:]}")

    code, out, _ = full(tmp_path, ".", "--format", "markdown")

    assert code == 1
    assert LIMIT // 2 < len(out.encode("utf-16-le")) // 2 <= LIMIT - 500, "with room for a line of others"
    assert re.search(r"\d+ more changes do not fit here", out)
    assert out.count("<details") == out.count("</details>")


HOSTILE = (
    "```\n</details><img src=x onerror=alert(1)>",
    "@everyone | # head **bold** [a](https://example.com) `code`",
    "\x1b[31mred\u202e",
    "<!-- -->",
    "~~~~~\n````````\n",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_tree_breaks_out_of_its_block(repository: Path, text: str) -> None:
    (repository / DEPLOYMENT).write_text(f"kind: Deployment\nx: {json.dumps(text)}\n{text}", encoding="utf-8")
    named = {"apiVersion": "v1", "kind": text, "metadata": {"name": text, "annotations": {text: text}}}
    service = repository / TREE / "addons/external-dns/service-external-dns.yaml"
    service.write_text(json.dumps(named), encoding="utf-8")

    _, out, _ = full(repository, "--format", "markdown")

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)
    outside, fence = [], ""
    for line in out.splitlines():
        if fence:
            fence = "" if re.fullmatch(f"{fence[0]}{{{len(fence)},}} *", line) else fence
        elif found := re.match(r"(`{3,}|~{3,})", line):
            fence = found[1]
        else:
            outside.append(line)
    assert not fence
    prose = re.sub(
        r"`[-+~0-9 ]+`|</?(?:details(?: open)?|summary|b|sub|code)>|<!-- okgen diff -->|&#\d+;", "", "\n".join(outside)
    )
    assert not re.search(r"[<>@\[\]*~]", prose), prose


def test_vendored_files_that_are_missing_are_reported_and_the_rest_is_compared(tmp_path: Path) -> None:
    own = {"gitops": {"crds": "vendored"}, "addons": {"cert-manager": None}}
    (tmp_path / "cluster.yaml").write_text(rendering.written(rendering.minimal(**own)), encoding="utf-8")

    code, out, err = rendering.okgen("diff", cwd=tmp_path)

    assert code == 1
    assert err.startswith("OKG601 output/_vendor/cert-manager/")
    assert "new cluster" in out
    assert err in rendering.okgen("check", cwd=tmp_path)[1]
