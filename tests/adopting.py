"""What the tests of `okgen adopt` share: a rendered cluster whose files are edited as people edit them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rendering
from okgen import emit

if TYPE_CHECKING:
    from pathlib import Path

DNS = "output/demo/addons/external-dns"
DEPLOYMENT = f"{DNS}/deployment-external-dns.yaml"
ROLE = f"{DNS}/clusterrole-external-dns.yaml"
HEAD = """\
apiVersion: okgen.dev/v1alpha1
kind: Cluster
metadata: {name: demo}
kubernetesVersion: "1.34"
aws: {accountId: "123456789012", region: eu-west-1, vpcId: vpc-0123456789abcdef0}
gitops: {repository: https://git.example.com/acme/platform.git}
dns: {zones: [{name: shop.example.com}]}
"""
SECTION = "addons:\n  external-dns:\n"


def render(folder: Path, addons: str = SECTION) -> None:
    """A repository with a cluster.yaml that ends in this text, rendered."""
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "cluster.yaml").write_bytes((HEAD + addons).encode())
    again(folder)


def again(folder: Path, *arguments: str) -> None:
    """Renders; it must succeed."""
    code, out, err = rendering.okgen("render", "cluster.yaml", *arguments, cwd=folder)
    assert code == 0, out + err


def load(folder: Path, path: str = DEPLOYMENT) -> Any:
    """A file of the tree as data."""
    return rendering.load((folder / path).read_text(encoding="utf-8"))


def edit(folder: Path, change: Any, path: str = DEPLOYMENT) -> Any:
    """Lets a function change an object in place, writes it back, and returns it."""
    value = load(folder, path)
    change(value)
    (folder / path).write_text(f"# by hand\n{emit.dump(value)}", encoding="utf-8")
    return value


def replicas(number: int) -> Any:
    """The smallest edit."""

    def change(value: dict[str, Any]) -> None:
        value["spec"]["replicas"] = number

    return change


def adopt(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `okgen adopt`; problems one a line."""
    return rendering.okgen("adopt", *(arguments or (DEPLOYMENT,)), "--format", "concise", cwd=folder)


def adopted(folder: Path, *arguments: str) -> str:
    """The text of cluster.yaml after an adoption that must succeed, and a render after it."""
    code, out, err = adopt(folder, *arguments)
    assert code == 0, out + err
    again(folder)
    return (folder / "cluster.yaml").read_bytes().decode()


def patches(folder: Path, addon: str = "external-dns") -> list[dict[str, Any]]:
    """The add-on's patches as cluster.yaml has them, each text parsed."""
    data = rendering.load((folder / "cluster.yaml").read_bytes())
    listed = (data["addons"][addon] or {}).get("patches", [])
    return [{**each, "patch": rendering.load(each["patch"])} for each in listed]
