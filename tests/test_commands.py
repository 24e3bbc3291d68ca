"""The commands as users call them: what they print, where, and their exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
import yaml

import rendering
from okgen import __version__
from okgen.addons.catalogue import Catalogue
from okgen.cli import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

NAMES = Catalogue().names


def test_version(tmp_path: Path) -> None:
    assert rendering.okgen_process("--version", cwd=tmp_path) == (0, f"okgen {__version__}\n", "")
    assert rendering.okgen_process("render", "--version", cwd=tmp_path)[0] == 2


def test_help_lists_every_command(tmp_path: Path) -> None:
    code, out, _ = rendering.okgen("--help", cwd=tmp_path)
    assert code == 0
    for command in COMMANDS:
        assert f"    {command.name} " in out
        assert rendering.okgen(command.name, "--help", cwd=tmp_path)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("rendr",),
        ("render", "--no-such"),
        ("render", "missing.yaml"),
        ("render", "."),
        ("validate", "--format", "xml"),
        ("schema", "--addon", "external-dn"),
        ("addons", "external-dn"),
        ("vendor", "--mirror", "nonsense"),
    ],
)
def test_what_cannot_run_exits_with_2_and_one_message(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = rendering.okgen(*arguments, cwd=tmp_path)
    assert code == 2
    assert out == ""
    assert err.startswith("okgen")
    assert "Traceback" not in err


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    code, out, err = rendering.okgen(cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == rendering.okgen("--help", cwd=tmp_path)[1]


def test_an_unknown_addon_is_guessed(tmp_path: Path) -> None:
    assert "did you mean external-dns?" in rendering.okgen("addons", "external-dn", cwd=tmp_path)[2]


def test_schema_is_valid_and_judges_the_examples(tmp_path: Path) -> None:
    code, out, _ = rendering.okgen("schema", cwd=tmp_path)
    schema = json.loads(out)
    validator = jsonschema.Draft202012Validator(schema)
    assert code == 0
    for path in rendering.REPOSITORY.glob("examples/*/cluster.yaml"):
        assert list(validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))) == []
    assert list(validator.iter_errors({"apiVersion": "v1"}))


@pytest.mark.parametrize("name", NAMES)
def test_schema_of_one_addon_stands_by_itself(tmp_path: Path, name: str) -> None:
    code, out, _ = rendering.okgen("schema", "--addon", name, cwd=tmp_path)
    schema = json.loads(out)
    assert code == 0
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(rendering.enabled(name)["addons"][name])) == []
    assert list(validator.iter_errors({"no-such-key": 1}))


def test_addons_lists_them(tmp_path: Path) -> None:
    code, out, err = rendering.okgen("addons", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[1:]] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_addons_shows_versions_and_keys_with_defaults(tmp_path: Path, name: str) -> None:
    code, out, _ = rendering.okgen("addons", name, cwd=tmp_path)
    assert code == 0
    for release in Catalogue().addon(name).releases:
        assert f"\n{release.version} " in out
    assert "\nnamespace " in out
    assert "\nreplicas " in out


def test_an_addons_own_keys_come_before_those_of_all(tmp_path: Path) -> None:
    own, shared = rendering.okgen("addons", "cert-manager", cwd=tmp_path)[1].split("\nKEYS THAT EVERY ADD-ON TAKES\n")
    assert "\nwebhook.securePort  (integer, default: 10250)\n" in own
    assert "\nacme.issuers[].name  (string, required)\n" in own
    assert "replicas" not in own
    assert "\nnamespace " not in own
    named = [line.split()[0] for line in shared.splitlines() if not line.startswith(" ")]
    assert {"version", "patches[].target", "replicas", "webhook.replicas"} <= set(named)
    assert "webhook.securePort" not in named


def test_validate_writes_nothing(tmp_path: Path) -> None:
    result = rendering.render(tmp_path, rendering.minimal(), command="validate")
    assert (result.code, result.out, result.err) == (0, "", "1 cluster is valid\n")
    assert [path.name for path in tmp_path.iterdir()] == ["cluster.yaml"]


def test_render_check_render(tmp_path: Path) -> None:
    first = rendering.rendered(tmp_path, rendering.minimal())
    assert first.err.startswith("demo: ")
    assert rendering.render(tmp_path, rendering.minimal(), command="check").code == 0
    again = rendering.rendered(tmp_path, rendering.minimal(), "--fail-on-change")
    assert "no change" in again.err
    changed = rendering.render(tmp_path, rendering.minimal(profile="development"), "--fail-on-change")
    assert changed.code == 1
    assert changed.tree != first.tree


def test_check_lists_drift_by_file_and_kind(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.minimal())
    tree = tmp_path / "output" / "demo"
    (tree / "README.md").unlink()
    (tree / "argocd" / "kustomization.yaml").write_text("mine\n", encoding="utf-8")
    result = rendering.render(tmp_path, rendering.minimal(), "--format", "concise", command="check")
    assert result.code == 1
    assert result.out.splitlines() == [
        "output/demo/README.md: missing",
        "output/demo/argocd/kustomization.yaml: edited by hand",
    ]
    assert result.err == "2 files differ from what is rendered\n"
    shown = rendering.render(tmp_path, rendering.minimal(), "--format", "json", command="check")
    drift = json.loads(shown.out)["drift"]
    assert [{"file": each["file"], "kind": each["kind"]} for each in drift] == [
        {"file": "output/demo/README.md", "kind": "missing"},
        {"file": "output/demo/argocd/kustomization.yaml", "kind": "edited by hand"},
    ]


def test_drift_is_drift_also_for_a_reader_that_has_left(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text(rendering.written(rendering.minimal()), encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    call = [sys.executable, "-m", "okgen", "check"]
    environment = os.environ | {"PYTHONPATH": str(rendering.REPOSITORY / "generator")}
    run = subprocess.run(call, cwd=tmp_path, env=environment, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert run.returncode == 1
    assert run.stderr.startswith(b"1 file differs")
    assert run.stderr.count(b"\n") == 1


def test_labels_of_the_cluster_do_not_rename_what_okgen_makes(tmp_path: Path) -> None:
    labels = {"app.kubernetes.io/name": "mine", "app.kubernetes.io/managed-by": "me", "team": "a"}
    result = rendering.rendered(tmp_path, rendering.minimal(metadata={"name": "demo", "labels": labels}))
    found = result.object("Application", "demo-cert-manager")["metadata"]["labels"]
    assert found["app.kubernetes.io/name"] == "cert-manager"
    assert found["app.kubernetes.io/managed-by"] == "okgen"
    assert found["team"] == "a"


@pytest.mark.parametrize("escape", ["\\x7f", "\\N", "\\x9b", "\\uFFFE"])
def test_characters_that_kustomize_cannot_read_are_refused(tmp_path: Path, escape: str) -> None:
    text = rendering.written(rendering.minimal(addons={"cert-manager": {"podAnnotations": {"a": "MARK"}}}))
    result = rendering.render(tmp_path, text.replace("MARK", f'"x{escape}y"'), "--format", "concise")
    assert result.code == 1
    assert "OKG103 a string holds the character U+" in result.out


def test_an_edit_stops_a_render_until_it_is_forced(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.minimal())
    path = tmp_path / "output" / "demo" / "argocd" / "kustomization.yaml"
    path.write_text("mine\n", encoding="utf-8")
    stopped = rendering.render(tmp_path, rendering.minimal(profile="development"))
    assert stopped.code == 1
    assert "output/demo/argocd/kustomization.yaml" in stopped.out
    assert path.read_text(encoding="utf-8") == "mine\n"
    assert rendering.render(tmp_path, rendering.minimal(), "--force").code == 0
    assert path.read_text(encoding="utf-8") != "mine\n"


def test_nothing_is_written_when_any_file_has_a_problem(tmp_path: Path) -> None:
    (tmp_path / "good.okgen.yaml").write_text(rendering.written(rendering.minimal()), encoding="utf-8")
    bad = rendering.minimal(metadata={"name": "other"}, profile="produktion")
    (tmp_path / "bad.okgen.yaml").write_text(rendering.written(bad), encoding="utf-8")
    code, out, _ = rendering.okgen("render", ".", cwd=tmp_path)
    assert code == 1
    assert "did you mean production?" in out
    assert not (tmp_path / "output").exists()


def test_two_inputs_for_one_folder_are_an_error_with_both_places(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.okgen.yaml").write_text(rendering.written(rendering.minimal()), encoding="utf-8")
    code, out, _ = rendering.okgen("validate", ".", "--format", "concise", cwd=tmp_path)
    assert code == 1
    assert out == (
        "b.okgen.yaml:4:9: OKG320 a.okgen.yaml is rendered into the same folder output/demo "
        "(a.okgen.yaml:4:9: cluster demo)\n"
    )


def test_a_change_of_the_bootstrap_is_said(tmp_path: Path) -> None:
    rendering.rendered(tmp_path, rendering.minimal())
    changed = rendering.rendered(tmp_path, rendering.minimal(gitops={"revision": "refs/heads/next"}))
    assert "bootstrap/ has changed: apply it again" in changed.err


def test_a_first_render_says_where_to_go_on(tmp_path: Path) -> None:
    assert "output/demo/README.md says how to start it" in rendering.rendered(tmp_path, rendering.minimal()).err
    (tmp_path / "output" / "demo" / "README.md").unlink()
    assert "says how to start it" not in rendering.rendered(tmp_path, rendering.minimal()).err


def test_a_change_of_the_rights_is_said(tmp_path: Path) -> None:
    cluster = rendering.minimal(addons={"external-dns": None}, dns={"zones": [{"name": "a.example.com"}]})
    assert "iam/ has changed" not in rendering.rendered(tmp_path, cluster).err
    cluster["addons"]["external-dns"] = {"logLevel": "debug"}
    assert "iam/ has changed" not in rendering.rendered(tmp_path, cluster).err
    cluster["addons"]["external-dns"] = {"policy": "sync"}
    assert "iam/ has changed: deploy the stack again" in rendering.rendered(tmp_path, cluster).err


def test_what_argo_cd_does_with_an_addon_that_goes_is_said(tmp_path: Path) -> None:
    """The PodDisruptionBudgets of one that goes are no worry, those of one that stays are left in place."""
    addons = {"cert-manager": None, "external-dns": None}
    cluster = rendering.minimal(addons=addons, dns={"zones": [{"name": "a.example.com"}]})
    rendering.rendered(tmp_path, cluster)
    del cluster["addons"]["external-dns"]
    said = rendering.rendered(tmp_path, cluster).err
    assert "external-dns: Argo CD removes it when you push; first what depends on it" in said
    assert "no longer admits" not in said
    cluster["profile"] = "development"
    lost = rendering.rendered(tmp_path, cluster).err
    assert "Argo CD leaves in place what its project no longer admits (PodDisruptionBudget)" in lost
    assert "Argo CD" not in rendering.rendered(tmp_path, cluster).err


def test_a_namespace_that_an_addon_leaves_is_said(tmp_path: Path) -> None:
    cluster = rendering.minimal(addons={"external-secrets": None, "cert-manager": None})
    rendering.rendered(tmp_path, cluster)
    cluster["addons"]["external-secrets"] = {"namespace": "secrets"}
    del cluster["addons"]["cert-manager"]
    said = rendering.rendered(tmp_path, cluster).err
    assert "no longer admits (namespace external-secrets)" in said


def test_addons_of_more_waves_than_one_commit_can_remove_are_said(tmp_path: Path) -> None:
    addons = {
        "cert-manager": None,
        "aws-load-balancer-controller": None,
        "external-dns": None,
        "external-secrets": None,
    }
    cluster = rendering.minimal(addons=addons, dns={"zones": [{"name": "a.example.com"}]})
    rendering.rendered(tmp_path, cluster)
    cluster["addons"] = {"external-secrets": None}
    said = rendering.rendered(tmp_path, cluster).err
    assert "cert-manager: leave it in until the others have gone" in said
    assert "external-dns: leave it in" not in said


def test_vendor_has_nothing_to_fetch_without_upstream_files(tmp_path: Path) -> None:
    cluster = rendering.minimal(addons={"cert-manager": None, "external-dns": None})
    cluster["addons"] = {"external-dns": None}
    cluster["dns"] = {"zones": [{"name": "a.example.com"}]}
    result = rendering.render(tmp_path, cluster, command="vendor")
    assert result.code == 0
    assert "nothing to fetch" in result.err


@pytest.mark.parametrize(
    ("region", "host", "message"),
    [
        ("eu-west-1", "oidc.eks.us-east-1.amazonaws.com", "the issuer is of region us-east-1"),
        ("cn-north-1", "oidc.eks.cn-north-1.amazonaws.com", "at oidc.eks.cn-north-1.amazonaws.com.cn, not at"),
        ("eu-west-1", "oidc.eks.eu-west-1.amazonaws.com", ""),
        ("eu-west-1", "oidc-eks.eu-west-1.api.aws", ""),
        ("eu-west-1", "issuer.example.com", ""),
    ],
)
def test_the_issuer_is_one_of_the_clusters_region(tmp_path: Path, region: str, host: str, message: str) -> None:
    aws = {"region": region, "oidcIssuer": f"https://{host}/id/0123456789ABCDEF0123456789ABCDEF", "identity": "irsa"}
    result = rendering.render(tmp_path, rendering.minimal(aws=aws), "--format", "concise")
    assert result.code == (1 if message else 0), result.out
    assert message in result.out
