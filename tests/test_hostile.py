"""A pull request may hold anything: what it must not reach, what it must not cost, and how a run ends all the same."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import rendering
from rendering import minimal, okgen, render, written

if TYPE_CHECKING:
    from pathlib import Path

# ------------------------------------------------------------------------------------------ files that it may not reach


def repository(folder: Path, cluster: dict[str, Any] | str) -> Path:
    """A repository with this cluster.yaml, beside a folder that is none of its business."""
    root = folder / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "cluster.yaml").write_text(written(cluster), encoding="utf-8")
    (folder / "private").mkdir()
    return root


@pytest.mark.parametrize("name", ["cluster.yaml", "."])
def test_a_link_out_of_the_repository_is_not_read(tmp_path: Path, name: str) -> None:
    root = repository(tmp_path, minimal())
    secret = tmp_path / "private" / "token"
    secret.write_text("token: s3cret\n", encoding="utf-8")
    (root / "cluster.yaml").unlink()
    (root / "cluster.yaml").symlink_to("../private/token")

    code, out, err = okgen("validate", name, cwd=root)

    assert code == 2
    assert err == "okgen: cluster.yaml: a symbolic link that leads out of its repository\n"
    assert "s3cret" not in out


def test_a_folder_that_leads_out_of_the_repository_is_not_read(tmp_path: Path) -> None:
    root = repository(tmp_path, minimal())
    (root / "cluster.yaml").rename(tmp_path / "private" / "cluster.yaml")
    (root / "clusters").symlink_to("../private")

    assert okgen("validate", "clusters/cluster.yaml", cwd=root)[0] == 2


def test_links_inside_the_repository_stay_usable(tmp_path: Path) -> None:
    root = repository(tmp_path, minimal())
    (root / "other.okgen.yaml").symlink_to("cluster.yaml")

    assert okgen("validate", "other.okgen.yaml", cwd=root)[0] == 0


def test_vendor_writes_through_no_link(tmp_path: Path) -> None:
    cluster = minimal(gitops={"path": "charts/output", "crds": "vendored"})
    root = repository(tmp_path, cluster)
    (root / "charts").symlink_to("../private")

    code, _, err = okgen("vendor", "--mirror", "https://=https://localhost:1/", cwd=root)

    assert code == 1
    assert "OKG506" in err
    assert list((tmp_path / "private").iterdir()) == []


PATCH_FILES = [
    (".git/config", "is one of Git's own files"),
    (".GIT/config", "is one of Git's own files"),
    ("a\0b", "no file can have this name"),
    ("pipe", "is a named pipe, not a file"),
    ("folder", "s a directory"),
    ("long", "is longer than 65536 bytes"),
    ("latin", "it is not UTF-8"),
]


@pytest.mark.parametrize(("name", "reason"), PATCH_FILES)
def test_files_that_are_no_patch(tmp_path: Path, name: str, reason: str) -> None:
    patch = {"target": {"kind": "Deployment"}, "path": name}
    root = repository(tmp_path, minimal(addons={"cert-manager": {"patches": [patch]}}))
    (root / ".git" / "config").write_text("a: b\n", encoding="utf-8")
    os.mkfifo(root / "pipe")
    (root / "folder").mkdir()
    (root / "long").write_text("é" * 40_000, encoding="utf-8")
    (root / "latin").write_bytes(b"a: \xe9\n")
    # With somebody at its other end, who says nothing.
    writer = os.open(root / "pipe", os.O_RDWR)
    try:
        code, out, err = okgen("validate", "--format", "concise", cwd=root)
    finally:
        os.close(writer)

    assert (code, err) == (1, "")
    assert out.count("OKG") == 1
    assert "OKG323" in out
    assert reason in out


@pytest.mark.parametrize(
    "patch",
    [
        "spec: {replicas: 1}",
        "kind: Deployment",
        "kind: Deployment\nmetadata: {}",
        "kind: 5\nmetadata: {name: any}",
        "{}",
        "- {op: copy, from: 5, path: /x}",
        "- {op: [add], path: /x}",
    ],
)
def test_patches_that_kustomize_does_not_read(tmp_path: Path, patch: str) -> None:
    patches = [{"target": {"kind": "Deployment"}, "patch": patch}]

    assert render(tmp_path, minimal(addons={"cert-manager": {"patches": patches}})).codes == ["OKG322"]


@pytest.mark.parametrize("path", [".git", "x/.GIT/hooks", ".Git"])
def test_git_has_its_folder_for_itself(tmp_path: Path, path: str) -> None:
    assert render(tmp_path, minimal(gitops={"path": path})).codes == ["OKG310"]


def test_one_cluster_inside_of_another(tmp_path: Path) -> None:
    for name, path in (("outer", "output"), ("addons", "output/outer")):
        cluster = minimal(metadata={"name": name}, gitops={"path": path})
        (tmp_path / f"{name}.okgen.yaml").write_text(written(cluster), encoding="utf-8")

    code, out, _ = okgen("render", "addons.okgen.yaml", "outer.okgen.yaml", "--format", "concise", cwd=tmp_path)

    assert code == 1
    assert out.startswith(
        "addons.okgen.yaml:4:9: OKG320 outer.okgen.yaml is rendered into a folder around output/outer"
    )
    assert not (tmp_path / "output").exists()


# ------------------------------------------------------------------------------------------ rights that it may not gain


@pytest.mark.parametrize(
    ("argocd", "addon", "values"),
    [
        ("argocd", "aws-load-balancer-controller", {"oidcSecrets": {"argocd": ["argocd-secret"]}}),
        ("kube-system", "cert-manager", None),  # its leader election would be there
    ],
)
def test_nothing_comes_into_the_namespace_of_argo_cd(tmp_path: Path, argocd: str, addon: str, values: Any) -> None:
    cluster = minimal(gitops={"argocd": {"namespace": argocd}}, addons={"cert-manager": None, addon: values})

    result = render(tmp_path, cluster)

    assert result.code == 1
    assert set(result.codes) == {"OKG312"}


@pytest.mark.parametrize(
    "gitops",
    [
        {"repository": "https://git.example.com/acme/*"},
        {"repository": "https://git.example.com/{acme,evil}/x"},
        {"repository": "https://git.example.com/acm?/x"},
        {"repository": "git@git.example.com:*"},
        {"repository": "ssh://git@git.example.com:22/*"},
        {"argocd": {"destination": {"name": "*"}}},
        {"argocd": {"destination": {"name": "!other"}}},
        {"argocd": {"destination": {"server": "https://*"}}},
        {"argocd": {"rootDestination": {"name": "[a-z]"}}},
    ],
)
def test_a_project_admits_no_patterns(tmp_path: Path, gitops: dict[str, Any]) -> None:
    # Argo CD reads sourceRepos and destinations as patterns.
    assert render(tmp_path, minimal(gitops=gitops)).codes == ["OKG205"]


def test_no_path_is_an_option_of_a_command(tmp_path: Path) -> None:
    assert render(tmp_path, minimal(gitops={"path": "--kubeconfig"})).codes == ["OKG205"]


# --------------------------------------------------------------------------------- what the API server would not take


@pytest.mark.parametrize(
    "values",
    [
        {"priorityClassName": "a..b"},
        {"nodeSelector": {"a..b/c": "d"}},
        {"nodeSelector": {f"{'a.' * 130}b/c": "d"}},
        {"resources": {"requests": {"cpus": "1"}}},
    ],
)
def test_names_that_kubernetes_refuses(tmp_path: Path, values: dict[str, Any]) -> None:
    assert render(tmp_path, minimal(addons={"cert-manager": values})).codes == ["OKG205"]


# --------------------------------------------------------------------------------------------------- what it may cost


def judge_within_bounds(folder: Path, text: str) -> None:
    """Validates a text with 300 MB, and five times the processor time that is promised: machines differ."""
    (folder / "cluster.yaml").write_text(text, encoding="utf-8")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))

    run = subprocess.run(
        [sys.executable, "-m", "okgen", "validate", "cluster.yaml"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(rendering.REPOSITORY / "generator")},
        capture_output=True,
        preexec_fn=limit,
        check=False,
    )
    assert run.returncode in {0, 1}, run.stderr.decode()[-500:]


def listed(count: int, item: str) -> str:
    return ", ".join(item.replace("#", str(number)) for number in range(count))


ZONES = f"dns: {{zones: [{listed(500, '{name: z#.example.com}')}]}}\n"
PATCHES = "".join(f"  {name}: {{patches: [{{}}]}}\n" for name in ("cert-manager", "external-secrets"))
NESTED = ", ".join("{name: " + ".".join("a" * depth) + "}" for depth in range(1, 125))
EXPENSIVE = {
    "numbers for texts": ("", f"metadata: {{name: demo, labels: {{{listed(45_000, 'l#: 1')}}}}}\n"),
    "distinct mappings": (f"  external-dns: {{sources: [{listed(33_000, '{a: #}')}]}}\n", ""),
    "distinct texts": (f"  external-dns: {{sources: [{listed(90_000, 's#')}]}}\n", ""),
    "secrets": (f"  aws-load-balancer-controller: {{oidcSecrets: {{a: [{listed(90_000, 's#')}]}}}}\n", ""),
    "a text a thousand times": (
        f"  cert-manager: {{podAnnotations: {{a: &x {'y' * 65_000}, {listed(40_000, 'a#: *x')}}}}}\n",
        "",
    ),
    "wrong tolerations": (f"  cert-manager: {{tolerations: [{listed(30_000, '{a: b}')}]}}\n", ""),
    "unknown keys": ("", f"dns: {{zones: [{listed(500, '{' + listed(80, 'k#: 1') + '}')}]}}\n"),
    "the same zone": ("", f"dns: {{zones: [{listed(500, '{name: example.com}')}]}}\n"),
    "zones in zones": ("", f"dns: {{zones: [{NESTED}]}}\n"),
    "zones for each issuer": (f"  cert-manager: {{acme: {{issuers: [{listed(20, '{name: i#}')}]}}}}\n", ZONES),
    "zones of nobody": (
        f"  cert-manager: {{acme: {{issuers: [{listed(20, '{name: i#, zones: [' + listed(400, 'b#') + ']}')}]}}}}\n",
        ZONES,
    ),
    "alternatives": (
        PATCHES.replace(
            "{}",
            listed(100, "{target: {name: '" + "|".join("a" * 60) + "|x#'}, patch: '{kind: A, metadata: {name: a}}'}"),
        ),
        "",
    ),
    "repetitions": (
        PATCHES.replace(
            "{}", listed(100, "{target: {name: '" + "a?" * 110 + ".*x#'}, patch: '{kind: A, metadata: {name: a}}'}")
        ),
        "",
    ),
    "requirements": (
        PATCHES.replace(
            "{}",
            listed(100, "{target: {labelSelector: '" + "!a," * 300 + "b#'}, patch: '{kind: A, metadata: {name: a}}'}"),
        ),
        "",
    ),
    "patches": (
        PATCHES.replace("{}", listed(100, "{target: {kind: Deployment}, path: patch.yaml}")),
        "",
    ),
}


@pytest.mark.parametrize("name", EXPENSIVE)
def test_any_input_is_dealt_with(tmp_path: Path, name: str) -> None:
    addons, more = EXPENSIVE[name]
    rest = minimal()
    del rest["addons"]
    if more.startswith("metadata"):
        del rest["metadata"]
    patch = "- {op: add, path: /metadata/labels/team, value: platform}\n" * 1100
    (tmp_path / "patch.yaml").write_text(patch, encoding="utf-8")

    judge_within_bounds(tmp_path, written(rest) + more + "addons:\n" + (addons or "  cert-manager:\n"))


# --------------------------------------------------------------------------------------------- how it ends all the same


def shell(command: str, folder: Path) -> tuple[int, str]:
    """Exit code and output of a line of shell, in which `okgen` is okgen."""
    script = f'okgen() {{ "{sys.executable}" -m okgen "$@"; }}\n{command}'
    run = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(rendering.REPOSITORY / "generator")},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


CLOSED = [
    ("okgen --version >&-", 0),
    ("okgen validate >&-", 0),
    ("okgen validate bad.okgen.yaml >&-", 1),
    ("okgen validate nothing 2>&-", 2),
    ("okgen render >&- 2>&-", 0),
    ("okgen validate <&-", 0),
    ("okgen --version >/dev/full", 2),
    ("okgen addons >/dev/full", 2),
    ("okgen validate bad.okgen.yaml >/dev/full", 2),
    ("okgen render 2>/dev/full", 2),
    ("okgen nothing 2>/dev/full", 2),
]


@pytest.mark.parametrize(("command", "expected"), CLOSED)
def test_streams_that_are_closed_or_full(tmp_path: Path, command: str, expected: int) -> None:
    if "/dev/full" in command and not os.path.exists("/dev/full"):
        rendering.unavailable("a full disk", "run on Linux, which has /dev/full")
    (tmp_path / "cluster.yaml").write_text(written(minimal()), encoding="utf-8")
    (tmp_path / "bad.okgen.yaml").write_text(written(minimal(kubernetesVersion="x")), encoding="utf-8")

    code, output = shell(command, tmp_path)

    assert code == expected
    assert "Traceback" not in output


@pytest.mark.parametrize("arguments", [("render",), ("vendor", "--mirror", "https://=https://localhost:1/")])
def test_names_of_folders_do_not_steer_the_terminal(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    folder = tmp_path / "a\x1b[31m\u202e"
    folder.mkdir()
    (folder / "cluster.yaml").write_text(written(minimal()), encoding="utf-8")

    _, out, err = okgen(*arguments, folder.name, cwd=tmp_path)

    assert r"a\x1b[31m\u202e" in err
    assert (out + err).replace("\n", "").isprintable()


def test_an_empty_name_is_no_folder_to_write_to(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(written(minimal()), encoding="utf-8")

    assert okgen("render", "--output", "", cwd=tmp_path)[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["cluster.yaml"]
