"""Whatever a cluster.yaml holds: exit code 0, 1 or 2, no traceback, nothing outside the output folder, strings kept."""

from __future__ import annotations

import copy
import itertools
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import rendering
import test_cases

Place = tuple[str | int, ...]

FULL = (test_cases.HERE / "cases" / "full" / "cluster.yaml").read_text(encoding="utf-8")
PATCH = "{kind: Deployment, metadata: {name: any}}"
CLUSTER: dict[str, Any] = rendering.merged(
    rendering.load(FULL),
    {
        "images": {"registries": {"registry.k8s.io": "registry.example.com/k8s"}},
        "addons": {"cert-manager": {"patches": [{"target": {"kind": "Deployment"}, "patch": PATCH}]}},
    },
)
# What templates, shells, YAML, Go and terminals might take for more than text.
HOSTILE = (
    *(
        "${{cluster.name}}",
        "{{.Values.x}}",
        "{%raw%}",
        "$(AWS_REGION)",
        "${HOME}",
        "`id`",
        ";id",
        "&a",
        "*a",
        "<<",
        "|",
        ">",
    ),
    *(
        "---",
        "...",
        "!!binary",
        "%YAML",
        "@",
        "'",
        '"',
        "\\",
        "~",
        "null",
        "y",
        "n",
        "on",
        "off",
        "True",
        "NaN",
        ".inf",
        "=",
    ),
    *("1e3", "12e7", "012", "0o14", "0x1F", "1_000", "12:30", ".5", "+1", "-", "2026-01-01", "", "x" * 300),
    *("a: b", "a #b", "- a", "? a", "--- |", " a", "a ", "a\n", "\na", "a\nb", "a\n\n b\n", "a\r\nb", "\t", "a\tb"),
    *("\u2028", "\u0085", "\ufeff", "é", "😀", "a\u202eb", "\x7f", "../../x", "/etc/passwd", "..", ".", "a/../../b"),
)


def strings(value: Any, place: Place = ()) -> list[Place]:
    """The places of all strings in a document."""
    if isinstance(value, str):
        return [place]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, item in items for each in strings(item, (*place, key))]


def nodes(value: Any, place: Place = ()) -> list[Place]:
    """The places of all nodes in a document below its top."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, item in items for each in [(*place, key), *nodes(item, (*place, key))]]


def parent(document: Any, place: Place) -> Any:
    for step in place[:-1]:
        document = document[step]
    return document


def at(document: Any, place: Place) -> Any:
    return parent(document, place)[place[-1]]


def replaced(document: Any, place: Place, value: Any) -> Any:
    """A copy of a document with another value in one place."""
    changed = copy.deepcopy(document)
    parent(changed, place)[place[-1]] = value
    return changed


def render(data: bytes) -> rendering.Result:
    """Renders these bytes in a folder of their own, and holds the run to what every run must keep to."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "repository"
        (root / ".git").mkdir(parents=True)
        (root / "cluster.yaml").write_bytes(data)
        code, out, err = rendering.okgen("render", "cluster.yaml", "--output", "out", cwd=root)
        everything = {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if not path.is_dir()}
        made = {path for path in everything if path.startswith("repository/out/")}
        result = rendering.Result(code, out, err, rendering.tree(Path(folder)))

        assert everything - made == {"repository/cluster.yaml"}
        assert not made or code == 0
        assert code in {0, 1}, f"{out}{err}"
        assert "Traceback" not in out + err
        assert not any((ord(sign) < 32 and sign != "\n") or 127 <= ord(sign) < 160 for sign in out + err)
        assert bool(result.codes) or code == 0, "a refusal says why"
        return result


def scalars(value: Any) -> list[str]:
    """All strings of a document, keys included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [each for pair in value.items() for side in pair for each in scalars(side)]
    return [each for item in value for each in scalars(item)] if isinstance(value, list) else []


def parsed(tree: dict[str, str]) -> list[Any]:
    """Every file of a tree that is data, read strictly."""
    found: list[Any] = []
    for path, text in tree.items():
        if path.endswith(".json"):
            found.append(json.loads(text))
        elif path.endswith(".yaml"):
            found.extend(yaml.load_all(text, rendering.Loader))
    return found


@pytest.mark.no_cover
@given(place=st.sampled_from(strings(CLUSTER)), text=st.sampled_from(HOSTILE) | st.text(max_size=20))
def test_a_string_stays_what_it_is(place: Place, text: str) -> None:
    document = replaced(CLUSTER, place, text)
    data = yaml.safe_dump(document, sort_keys=False).encode()

    result = render(data)

    if result.code == 0:
        held = [each for document in parsed(result.tree) for each in scalars(document)]
        assert any(text in each for each in held) or place in UNSEEN


# Strings that steer what is rendered without standing in it.
UNSEEN: set[Place] = {
    ("profile",),
    ("kubernetesVersion",),
    ("addons", "cert-manager", "patches", 0, "patch"),
}


@pytest.mark.no_cover
@given(place=st.sampled_from(nodes(CLUSTER)), data=st.data())
def test_mutated_data(place: Place, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["delete", "duplicate", "replace", "swap"]))
    document = copy.deepcopy(CLUSTER)
    holder = parent(document, place)
    if kind == "delete":
        del holder[place[-1]]
    elif kind == "duplicate" and isinstance(holder, list):
        holder.append(copy.deepcopy(at(document, place)))
    elif kind == "duplicate":
        holder[f"{place[-1]}2"] = copy.deepcopy(at(document, place))
    elif kind == "replace":
        holder[place[-1]] = data.draw(
            st.sampled_from([None, True, 0, -1, 1.5, "", "a", [], {}, [[]], {"a": None}, 10**30])
        )
    else:
        other = data.draw(st.sampled_from(nodes(CLUSTER)))
        holder[place[-1]] = copy.deepcopy(at(CLUSTER, other))

    render(yaml.safe_dump(document, sort_keys=False).encode())


@pytest.mark.no_cover
@given(
    start=st.integers(0, len(FULL)),
    length=st.integers(0, 40),
    junk=st.binary(max_size=12)
    | st.sampled_from([b"\n", b"  ", b"\t", b": ", b"- ", b"{", b"[", b"&a", b"*a", b"!x ", b"|", b"---\n", b"\xff"]),
)
def test_mutated_text(start: int, length: int, junk: bytes) -> None:
    text = FULL.encode()

    render(text[:start] + junk + text[start + length :])


@pytest.mark.no_cover
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    assert render(data).code == 1


def shuffled(value: Any, order: random.Random) -> Any:
    """The same document with the keys of its mappings in another order."""
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {key: shuffled(value[key], order) for key in keys}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_keys_does_not_matter(seed: int, tmp_path: Path) -> None:
    document = rendering.load(FULL)

    one = rendering.rendered(tmp_path / "one", document)
    two = rendering.rendered(tmp_path / "two", shuffled(document, random.Random(seed)))  # noqa: S311 - it shuffles

    assert one.tree == two.tree


def test_the_order_of_arguments_does_not_matter(tmp_path: Path) -> None:
    names = ["one", "two", "three"]
    trees = []
    for order in itertools.permutations(names):
        folder = tmp_path / "-".join(order)
        for name in names:
            (folder / name).mkdir(parents=True)
            text = rendering.written(rendering.minimal(metadata={"name": name}))
            (folder / name / "cluster.yaml").write_text(text, encoding="utf-8")
        assert rendering.okgen("render", *order, "--output", "out", cwd=folder)[0] == 0
        trees.append(rendering.texts(folder / "out"))

    assert all(tree == trees[0] for tree in trees)
    assert {path.split("/")[0] for path in trees[0]} == set(names)


def test_a_comment_changes_nothing(tmp_path: Path) -> None:
    one = rendering.rendered(tmp_path / "one", FULL)
    two = rendering.rendered(tmp_path / "two", f"# by the platform team\n{FULL}# the end\n")

    assert one.tree == two.tree
