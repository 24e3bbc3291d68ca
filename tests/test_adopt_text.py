"""Where a patch goes in the text of a cluster.yaml, and that every other character stays as people wrote it."""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING

import pytest
import ruamel.yaml
from hypothesis import given
from hypothesis import strategies as st

import rendering
from adopting import HEAD, adopt, adopted, again, edit, patches, render, replicas
from okgen.adopt import insertion, spans
from okgen.read import source

if TYPE_CHECKING:
    from pathlib import Path

FLOW = "{group: apps, version: v1, kind: Deployment, name: external-dns, namespace: external-dns}"
TEXT = (
    r'"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: external-dns\n  namespace: external-dns\n'
    r'spec:\n  replicas: 0\n"'
)
ENTRY = f"{{target: {FLOW}, patch: {TEXT}}}"


TARGETED = ["target:", "  group: apps", "  version: v1", "  kind: Deployment"]
TARGETED += ["  name: external-dns", "  namespace: external-dns"]
PATCH = ["patch: |", "  apiVersion: apps/v1", "  kind: Deployment", "  metadata:"]
PATCH += ["    name: external-dns", "    namespace: external-dns", "  spec:", "    replicas: 0"]
ORDER, REVERSED = [*TARGETED, *PATCH], [*PATCH, *TARGETED]


def block(column: int, *, key: bool = True, order: list[str] = ORDER) -> str:
    """The entry as lines, its key or else its dash in a column."""
    lines = [f"{'  ' if place else '- '}{line}" for place, line in enumerate(order)]
    lines = ["patches:", *(f"  {line}" for line in lines)] if key else lines
    return "".join(f"{' ' * column}{line}\n" for line in lines)


MINE = "{target: {kind: Service}, patch: '[{op: add, path: /a, value: 1}]'}"

CASES = {
    "null": ("addons:\n  external-dns:\n  cert-manager:\n", f"addons:\n  external-dns:\n{block(4)}  cert-manager:\n"),
    "null, a comment behind it": (
        "addons:\n  external-dns:   # DNS\n\n  # next\n  cert-manager:\n",
        f"addons:\n  external-dns:   # DNS\n{block(4)}\n  # next\n  cert-manager:\n",
    ),
    "null in words": ("addons:\n  external-dns: null # none\n", f"addons:\n  external-dns: # none\n{block(4)}"),
    "tilde": ("addons:\n  external-dns: ~\n", f"addons:\n  external-dns:\n{block(4)}"),
    "nothing in braces": ("addons:\n  external-dns: {}\n", f"addons:\n  external-dns:\n{block(4)}"),
    "four columns a level": ("addons:\n    external-dns:\n", f"addons:\n    external-dns:\n{block(8)}"),
    "no line end": (
        "addons:\n  external-dns:",
        f"addons:\n  external-dns:\n{block(4, order=REVERSED)}".removesuffix("\n"),
    ),
    "keys, comments and blank lines": (
        (
            "addons:\n  # A\n  external-dns: # B\n\n    # C\n    policy: 'sync'   # D\n\n    # E\n  # F\n\n"
            "  cert-manager:\n"
        ),
        (
            "addons:\n  # A\n  external-dns: # B\n\n    # C\n    policy: 'sync'   # D\n"
            f"{block(4)}\n    # E\n  # F\n\n  cert-manager:\n"
        ),
    ),
    "in one line": (
        "addons:\n  external-dns: {policy: 'sync',  sources: [service,   ingress]}   # A\n",
        "addons:\n  external-dns:   # A\n    policy: 'sync'\n    sources: [service,   ingress]\n" + block(4),
    ),
    "JSON in one line": (
        'addons:\n  external-dns: {"policy":"sync"}\n',
        f'addons:\n  external-dns: {{"policy":"sync", patches: [{ENTRY}]}}\n',
    ),
    "braces over several lines": (
        "addons:\n  external-dns: {\n    policy: sync,  # A\n  }\n",
        f"addons:\n  external-dns: {{\n    policy: sync, patches: [{ENTRY}],  # A\n  }}\n",
    ),
    "all in braces": (
        "addons: {external-dns: {policy: sync}, cert-manager: }\n",
        f"addons: {{external-dns: {{policy: sync, patches: [{ENTRY}]}}, cert-manager: }}\n",
    ),
    "null in braces": (
        "addons: {external-dns: , cert-manager: }\n",
        f"addons: {{external-dns: {{patches: [{ENTRY}]}}, cert-manager: }}\n",
    ),
    "a key alone in braces": ("addons: {external-dns}\n", f"addons: {{external-dns: {{patches: [{ENTRY}]}}}}\n"),
    "an alias": (
        "addons:\n  cert-manager: &one {replicas: 1}\n  external-dns: *one # same\n",
        f"addons:\n  cert-manager: &one {{replicas: 1}}\n  external-dns: # same\n    <<: *one\n{block(4)}",
    ),
    "a merge": (
        "addons:\n  cert-manager: &one\n    replicas: 1\n  external-dns:\n    <<: *one\n    policy: sync\n",
        (
            "addons:\n  cert-manager: &one\n    replicas: 1\n  external-dns:\n    <<: *one\n    policy: sync\n"
            f"{block(4)}"
        ),
    ),
    "a block scalar at the end": (
        "addons:\n  external-dns:\n    txtOwnerId: >-\n      shop\n\n\n  cert-manager:\n",
        f"addons:\n  external-dns:\n    txtOwnerId: >-\n      shop\n{block(4)}\n\n  cert-manager:\n",
    ),
    "a list without its own columns": (
        "addons:\n  external-dns:\n    sources:\n    - service\n\nimages: {}\n",
        f"addons:\n  external-dns:\n    sources:\n    - service\n{block(4)}\nimages: {{}}\n",
    ),
    "document marks": (
        "addons:\n  external-dns:\n...\n",
        f"addons:\n  external-dns:\n{block(4)}...\n",
    ),
    "patches, none yet": (
        "addons:\n  external-dns:\n    patches: []   # none\n    policy: sync\n",
        f"addons:\n  external-dns:\n    patches:   # none\n{block(6, key=False)}    policy: sync\n",
    ),
    "patches in columns of their own": (
        (
            "addons:\n  external-dns:\n    patches:\n    -   target: {kind: Service}\n        patch: |\n"
            "          - {op: add, path: /a, value: 1}\n\n    # next\n    policy: sync\n"
        ),
        (
            "addons:\n  external-dns:\n    patches:\n    -   target: {kind: Service}\n        patch: |\n"
            f"          - {{op: add, path: /a, value: 1}}\n{block(4, key=False)}\n    # next\n    policy: sync\n"
        ),
    ),
    "patches in brackets": (
        f"addons:\n  external-dns:\n    patches: [{MINE}]\n",
        f"addons:\n  external-dns:\n    patches: [{MINE}, {ENTRY}]\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_place(tmp_path: Path, case: str) -> None:
    before, after = CASES[case]
    render(tmp_path, before)
    edit(tmp_path, replicas(0))

    assert adopted(tmp_path) == HEAD + after
    assert patches(tmp_path)[-1]["patch"]["spec"] == {"replicas": 0}


@pytest.mark.parametrize("case", ["keys, comments and blank lines", "no line end", "in one line"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_mark_and_line_ends(tmp_path: Path, case: str, end: str) -> None:
    before, after = (f"\ufeff{HEAD}{text}".replace("\n", end) for text in CASES[case])
    (tmp_path / ".git").mkdir()
    (tmp_path / "cluster.yaml").write_bytes(before.encode())
    again(tmp_path)
    edit(tmp_path, replicas(0))

    assert adopted(tmp_path) == after


@pytest.mark.parametrize("section", ["null", "{}", '{"policy":"sync"}'])
def test_json_stays_json(tmp_path: Path, section: str) -> None:
    head = json.dumps(rendering.load(HEAD))[:-1]
    (tmp_path / ".git").mkdir()
    (tmp_path / "cluster.yaml").write_text(f'{head}, "addons":{{"external-dns":{section}}}}}\n', encoding="utf-8")
    again(tmp_path)
    edit(tmp_path, replicas(0))

    found = json.loads(adopted(tmp_path))
    assert "replicas: 0" in found["addons"]["external-dns"]["patches"][0]["patch"]
    edit(tmp_path, replicas(7))
    assert "replicas: 7" in json.loads(adopted(tmp_path))["addons"]["external-dns"]["patches"][0]["patch"]


@pytest.mark.parametrize("case", CASES)
def test_another_edit_changes_the_patch_alone(tmp_path: Path, case: str) -> None:
    render(tmp_path, CASES[case][0])
    edit(tmp_path, replicas(0))
    first = adopted(tmp_path)
    edit(tmp_path, replicas(7))

    assert adopted(tmp_path) == first.replace("replicas: 0", "replicas: 7")


@pytest.mark.parametrize(
    "addons",
    [
        "addons: &all\n  external-dns:\nimages: {registries: {}}\n",
        "addons:\n  external-dns: &same {}\n  cert-manager: *same\n",
        "addons:\n  external-dns: !!null\n",
        "addons:\n  <<: {external-dns: {policy: sync}}\n  cert-manager:\n",
        f"addons:\n  cert-manager: &one\n    patches: [{MINE}]\n  external-dns: {{<<: *one}}\n",
        f"addons:\n  cert-manager:\n    patches: &one [{MINE}]\n  external-dns: {{patches: *one}}\n",
    ],
)
def test_what_leaves_no_place_is_refused_or_said_exactly(tmp_path: Path, addons: str) -> None:
    render(tmp_path, addons)
    edit(tmp_path, replicas(0))
    before = (tmp_path / "cluster.yaml").read_bytes()
    said = rendering.load(before)["addons"]

    code, _, err = adopt(tmp_path)

    if code:
        assert (code, "OKG508" in err) == (1, True)
        assert (tmp_path / "cluster.yaml").read_bytes() == before
    else:
        assert addons.startswith(("addons: &all", "addons:\n  external-dns: !!null"))
        now = rendering.load((tmp_path / "cluster.yaml").read_bytes())["addons"]
        assert {**now, "external-dns": said["external-dns"]} == said


LINES = st.lists(st.sampled_from(["", "# a comment", "   # set in", "#"]), max_size=3).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)
VALUES = st.sampled_from(
    [
        "policy: sync",
        "policy:   'sync'  # why",
        'txtOwnerId: "shop"',
        "sources:\n{0}  - service\n{0}  - ingress",
        "logLevel: >-\n{0}  info\n",
    ]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """The end of a cluster.yaml as people may have written it."""
    indent = " " * draw(st.integers(3, 8))
    values = draw(st.lists(VALUES, max_size=3, unique_by=lambda value: value.split(":")[0]))
    lines = "".join(f"{draw(LINES)}{indent}{value.format(indent)}\n" for value in values)
    following = draw(st.sampled_from(["", "  cert-manager:\n", "images: {}\n", "...\n", "---\n"]))
    text = f"addons:\n{draw(LINES)}  external-dns: # here\n{lines}{draw(LINES)}{following}{draw(LINES)}"
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n", "\r"])))
    return text if draw(st.booleans()) else text.rstrip()


@given(text=texts())
def test_no_other_character_changes(text: str) -> None:
    entry = {"target": {"kind": "Service"}, "patch": "- op: remove\n  path: /a\n\n- op: remove\n  path: /b\n"}
    wanted = copy.deepcopy(source.parse(text.encode(), "").data)
    wanted["addons"]["external-dns"] = {**(wanted["addons"]["external-dns"] or {}), "patches": [entry]}

    found = insertion.with_entry(text, "external-dns", entry)
    after = next(each for each in found if source.parse(each.encode(), "").data == wanted)

    grown = len(after) - len(text)
    assert any(after[:place] + after[place + grown :] == text for place in range(len(text) + 1))
    assert _comments(after) == _comments(text)


def _comments(text: str) -> list[str]:
    """The comments as another reader of YAML finds them."""
    tokens = ruamel.yaml.YAML(typ="rt").scan(text.replace("\r\n", "\n").replace("\r", "\n"))
    found = [str(token.comment) for token in tokens if getattr(token, "comment", None)]
    return [line.strip() for each in found for line in re.findall(r"#[^\\']*", each)]


def test_every_value_of_the_golden_clusters_is_found_where_it_stands() -> None:
    for path in sorted((rendering.REPOSITORY / "tests/cases").glob("*/cluster.yaml")):
        text = path.read_bytes().decode().removeprefix("\ufeff")
        pending = [spans.of(text)]
        while pending:
            span = pending.pop()
            assert text[span.start : span.end] == text[span.start : span.end].rstrip() or span.start == span.end, path
            pending += [*span.items, *(entry.value for entry in span.entries.values())]
            for key, entry in span.entries.items():
                assert key in text[entry.start : entry.end]
