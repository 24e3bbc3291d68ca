"""What the tests share: clusters to start from, okgen called as users call it, what to hold it against."""

from __future__ import annotations

import contextlib
import copy
import gc
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest
import yaml

from tools import build as toolchain

REPOSITORY = Path(__file__).resolve().parent.parent
OVERLAYS = REPOSITORY / "overlays"
SHARED = REPOSITORY.parent / "shared"
INDEX = ".okgen.json"
OIDC_ISSUER = "https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Result(NamedTuple):
    """What one call of okgen did.

    ``tree`` holds the files of the cluster's folder by their path in it, empty when nothing was rendered.
    """

    code: int
    out: str
    err: str
    tree: dict[str, str]

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Every Kubernetes object of the tree, kustomizations excepted."""
        return [
            document
            for path, text in sorted(self.tree.items())
            if path.endswith(".yaml") and not path.startswith("iam/") and not path.endswith("kustomization.yaml")
            for document in yaml.load_all(text, Loader)
        ]

    def object(self, kind: str, name: str) -> dict[str, Any]:
        """The one object of that kind and name."""
        found = [o for o in self.objects if o["kind"] == kind and o["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} objects {kind} {name} in {sorted(self.tree)}"
        return found[0]

    @property
    def codes(self) -> list[str]:
        """The codes of the problems on stdout (any format), in order."""
        return re.findall(r"OKG\d{3}", self.out)


def load(text: str | bytes) -> Any:
    """The one document of a YAML text as data; by libyaml where it is, which takes a tenth of the time."""
    return yaml.load(text, Loader)  # noqa: S506 - a safe one


# ---------------------------------------------------------------------------------------------- clusters to start from


def minimal(**overrides: Any) -> dict[str, Any]:
    """A small valid cluster.yaml as data; overrides are merged over it, mappings key by key, None removes a section."""
    cluster: dict[str, Any] = {
        "apiVersion": "okgen.dev/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": "demo"},
        "kubernetesVersion": "1.34",
        "aws": {"accountId": "123456789012", "region": "eu-west-1", "vpcId": "vpc-0123456789abcdef0"},
        "gitops": {"repository": "https://git.example.com/acme/platform.git"},
        "addons": {"cert-manager": None},
    }
    return merged(cluster, overrides)


def enabled(addon: str, **overrides: Any) -> dict[str, Any]:
    """A cluster with this add-on as its smallest example (overlays/ADDON/example.yaml) has it."""
    example = load((OVERLAYS / addon / "example.yaml").read_text(encoding="utf-8"))
    return merged(merged(minimal(addons=None), example), overrides)


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``over`` laid on ``under``: mappings are merged, everything else replaces, a None at the top removes the key."""
    return {key: value for key, value in _laid(under, over).items() if value is not None}


def _laid(under: Any, over: Any) -> Any:
    if not isinstance(under, dict) or not isinstance(over, dict):
        return copy.deepcopy(over)
    return copy.deepcopy(under) | {key: _laid(under.get(key), value) for key, value in over.items()}


# ------------------------------------------------------------------------------------------------------ calling okgen


def written(cluster: dict[str, Any] | str) -> str:
    """A cluster as the text of its file; text stays as it is."""
    if isinstance(cluster, str):
        return cluster
    text: str = yaml.dump(cluster, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000)
    return text


def okgen(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of okgen called in this process, standing in ``cwd``."""
    from okgen.__main__ import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True) for _ in range(2))
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    gc.enable()  # a process that does not end with the call needs it
    return code, _text(out), _text(err)


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def okgen_process(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    """The same, in a process of its own."""
    call = [sys.executable, "-m", "okgen", *arguments]
    path = os.pathsep.join(filter(None, [str(REPOSITORY / "generator"), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        call, cwd=cwd, env=os.environ | {"PYTHONPATH": path} | (env or {}), capture_output=True, text=True, check=False
    )
    return run.returncode, run.stdout, run.stderr


def render(folder: Path, cluster: dict[str, Any] | str, *arguments: str, command: str = "render") -> Result:
    """Writes ``cluster`` to FOLDER/cluster.yaml and renders it standing there, with further arguments as given."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cluster.yaml").write_text(written(cluster), encoding="utf-8")
    code, out, err = okgen(command, "cluster.yaml", *arguments, cwd=folder)
    return Result(code, out, err, tree(folder))


def rendered(folder: Path, cluster: dict[str, Any] | str, *arguments: str) -> Result:
    """The same, for a cluster that must be accepted."""
    result = render(folder, cluster, *arguments)
    assert result.code == 0, f"exit {result.code}\n{result.out}{result.err}"
    return result


def tree(folder: Path) -> dict[str, str]:
    """The files of the one cluster rendered somewhere below a folder, by their path in the cluster's folder."""
    indexes = sorted(folder.rglob(INDEX))
    assert len(indexes) < 2, f"several clusters below {folder}: {indexes}"
    return {} if not indexes else texts(indexes[0].parent)


def texts(folder: Path) -> dict[str, str]:
    """Every file below a folder by its path, read as UTF-8."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# ------------------------------------------------------------------------------- programs and facts it is held against


def unavailable(what: str, way: str) -> NoReturn:
    """Skips the test, saying what is not shown now and what to do about it."""
    pytest.skip(f"NOT TESTED: {what}. To test it: {way}")


def tool(name: str) -> str:
    """The path of kustomize, kubeconform or helm at the version pinned below tests/tools.

    Where $OKGEN_BUILD_TOOLS is set, as `make test` does, a missing one is built, and a failed build fails the test.
    Elsewhere the test is skipped.
    """
    program = toolchain.find(name)
    if program is None and os.environ.get("OKGEN_BUILD_TOOLS"):
        program = toolchain.build(name)
    if program is None:
        unavailable(f"{name} is not built", f"make test, or python tests/tools/build.py {name}")
    return str(program)


def shared(path: str) -> Path:
    """A file or folder of ../shared, which stands beside the checkout on the project's own machines only."""
    place = SHARED / path
    if not place.exists():
        unavailable(f"shared/{path} is not beside the checkout", "lay the project's shared folder beside it")
    return place
