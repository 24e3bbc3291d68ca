"""Whatever is edited in a rendered object: after adoption and a render, Kustomize builds the edited object."""

from __future__ import annotations

import copy
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import rendering
from adopting import again
from okgen import emit
from okgen.adopt import making

if TYPE_CHECKING:
    from pathlib import Path

ADDONS = ("aws-load-balancer-controller", "cert-manager", "external-dns", "external-secrets")


def build(folder: Path) -> list[dict[str, Any]] | None:
    """The objects that kustomize makes of an add-on's folder, without the CRDs, which come from the network.

    None where it refuses an object for what it says: of a rule it wants a mapping, for one.
    """
    path = folder / "kustomization.yaml"
    value = rendering.load(path.read_text(encoding="utf-8"))
    value["resources"] = [each for each in value["resources"] if not each.startswith("https://")]
    place = folder.parent.parent.parent.parent / "build"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place)
    (place / "kustomization.yaml").write_text(yaml.safe_dump(value), encoding="utf-8")
    run = subprocess.run(
        [rendering.tool("kustomize"), "build", str(place)], capture_output=True, text=True, check=False
    )
    return None if run.returncode else [each for each in yaml.load_all(run.stdout, rendering.Loader) if each]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with every add-on, rendered."""
    rendering.tool("kustomize")
    folder: Path = tmp_path_factory.mktemp("adopt") / "pristine"
    cluster = rendering.minimal(addons=dict.fromkeys(ADDONS), dns={"zones": [{"name": "shop.example.com"}]})
    folder.mkdir()
    (folder / ".git").mkdir()
    (folder / "cluster.yaml").write_text(rendering.written(cluster), encoding="utf-8")
    again(folder)
    return folder


TEXTS = st.sampled_from(
    ["a", "yes", "1e3", "0x1f", "", " a ", "a: b", "- a", "# a", "a\nb\n", "é漢😀", "null", "~", "2027-01-31"]
)
SCALARS = TEXTS | st.integers(-5, 5) | st.booleans()
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(["added", "a/b", "a~b", "name", "example.com/key"])
# What may not be touched, as it would be refused: who an object is, and what okgen puts on all of them.
KEPT = {("apiVersion",), ("kind",), ("metadata",)}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value that may be edited."""
    items = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    found = []
    for step, item in items:
        here = (*path, step)
        if here not in KEPT and step != "labels":
            found += [here, *places(item, here)]
    return found


def change(data: st.DataObject, value: dict[str, Any]) -> None:
    """One edit somewhere in an object: another value, a key or element more or less, elements in another order."""
    found = places(value)
    if not found:
        value["added"] = data.draw(PLAIN)
        return
    path = data.draw(st.sampled_from(found))
    parent = value
    for step in path[:-1]:
        parent = parent[step]
    how = data.draw(st.sampled_from(["replace", "remove", "add", "order"]))
    if how == "remove":
        del parent[path[-1]]
    elif how == "add" and isinstance(parent, list):
        parent.insert(data.draw(st.integers(0, len(parent))), data.draw(PLAIN))
    elif how == "add" and "labels" not in parent:
        parent[data.draw(KEYS)] = data.draw(TEXTS if path[-2:-1] == ("annotations",) else PLAIN)
    elif how == "order" and isinstance(parent, list):
        parent.reverse()
    else:
        parent[path[-1]] = data.draw(SCALARS if not isinstance(parent[path[-1]], dict | list) else PLAIN)


@pytest.mark.no_cover
@pytest.mark.tools
@settings(
    max_examples=40,
    # Each step runs kustomize twice, and a counterexample is small enough as it is.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(data=st.data())
def test_what_is_adopted_is_what_kustomize_builds(pristine: Path, data: st.DataObject) -> None:
    folder = pristine.parent / "edited"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(pristine, folder)
    addon = folder / "output/demo/addons" / data.draw(st.sampled_from(ADDONS))
    files = sorted(path for path in addon.iterdir() if path.name != "kustomization.yaml")
    chosen = data.draw(st.lists(st.sampled_from(files), min_size=1, max_size=3, unique=True))
    for path in chosen:
        value = rendering.load(path.read_text(encoding="utf-8"))
        for _ in range(data.draw(st.integers(1, 4))):
            change(data, value)
        path.write_text(emit.dump(value), encoding="utf-8")
    by_hand = build(addon)
    assume(by_hand is not None)

    code, _, err = rendering.okgen("adopt", *map(str, chosen), "--format", "concise", cwd=folder)

    if code:
        reasons = ("it is not edited", "only comments or the layout", "takes text only", "is okgen's own")
        assert all(any(reason in line for reason in reasons) for line in err.splitlines()), err
        return
    again(folder)
    assert build(addon) == by_hand
    once_more(data, folder, chosen[0])


def once_more(data: st.DataObject, folder: Path, path: Path) -> None:
    """Another edit of an object whose first one has been adopted: both are in what is built, the later one on top."""
    base = rendering.load(path.read_text(encoding="utf-8"))
    value = copy.deepcopy(base)
    change(data, value)
    path.write_text(emit.dump(value), encoding="utf-8")
    before = one(build(path.parent), base)

    code, _, err = rendering.okgen("adopt", str(path), "--format", "concise", cwd=folder)

    if code:
        reasons = ("both change the same list", "only comments", "not edited", "takes text only", "okgen's own")
        assert any(reason in err for reason in reasons), err
        return
    again(folder)
    built = build(path.parent)
    if built is not None and before is not None:
        assert one(built, base) == making.laid_over(base, value, before)


def one(built: list[dict[str, Any]] | None, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The object of that kind, name and namespace; None where nothing was built."""
    known = ("name", "namespace")
    for each in built or ():
        same = [each["metadata"].get(key) == wanted["metadata"].get(key) for key in known]
        if each["kind"] == wanted["kind"] and all(same):
            return each
    return None
