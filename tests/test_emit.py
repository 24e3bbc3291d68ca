"""What emit.py writes is read back as the same data by PyYAML, ruamel.yaml (YAML 1.2) and Go's two libraries."""

from __future__ import annotations

import base64
import enum
import io
import json
import math
import random
import re
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from okgen import emit
from rendering import tool

TABLE = Path(__file__).parent / "hostile-strings.json"
# Each is a string for okgen and something else for some reader, or not to be read at all, unless it is quoted.
HOSTILE: list[str] = [
    *(text for texts in json.loads(TABLE.read_text(encoding="ascii")).values() for text in texts),
    *("a" * 5000, "a b " * 500 + "c", "é" * 2000, "a\n" * 1000, "1" * 1001),
]

# No surrogates, all else: YAML has no other gaps once escapes are allowed.
STRINGS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text("0123456789abefox_.:+-=~ \n\t#'\"\\{}[],&*!|>%@`?<yYnN\x85\u2028", max_size=12),
)
SCALARS = st.one_of(
    STRINGS,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from([1e16, 1e-7, 5e-324, -0.0]),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(STRINGS, inner, max_size=5)),
    max_leaves=30,
)


def same(left: object, right: object) -> bool:
    """Equal in value, type and order of keys."""
    return repr(left) == repr(right)


def ruamel(text: str) -> Any:
    reader = pytest.importorskip("ruamel.yaml", reason="the YAML 1.2 reader: pip install ruamel.yaml")
    return reader.YAML(typ="safe", pure=True).load(text)


TEXTS = [
    ({"a": 1, "b": {"c": "d"}}, "a: 1\nb:\n  c: d\n"),
    ({"b": 1, "a": 2}, "b: 1\na: 2\n"),
    ({"a": {}, "b": [], "c": None, "d": True, "e": False}, "a: {}\nb: []\nc: null\nd: true\ne: false\n"),
    ({"a": ["b", {"c": "d", "e": ["f"]}]}, "a:\n- b\n- c: d\n  e:\n  - f\n"),
    ([["a", ["b"]], [], {}, [{"c": {"d": []}}]], "- - a\n  - - b\n- []\n- {}\n- - c:\n      d: []\n"),
    ({"a": ("b", ("c",), ())}, "a:\n- b\n- - c\n- []\n"),
    ({"script": "a\n\n  b\n"}, "script: |\n  a\n\n    b\n"),
    ({"a": {"script": "b\nc"}}, "a:\n  script: |-\n    b\n    c\n"),
    ({"a": [{"script": "b\nc\n"}, "d\ne"]}, "a:\n- script: |\n    b\n    c\n- |-\n  d\n  e\n"),
    ([["a\nb"]], "- - |-\n    a\n    b\n"),
    ({"a\nb": "c"}, '"a\\nb": c\n'),
    ({"": "", "y": "y", "1": "1"}, '"": ""\n"y": "y"\n"1": "1"\n'),
    ({"args": ["--a=b c", "-v=2", "--1", "$(A)"]}, 'args:\n- --a=b c\n- "-v=2"\n- "--1"\n- $(A)\n'),
    ({"a": '{"b": "c"}', "d": "it's \"e\"", "f": "\\d"}, "a: '{\"b\": \"c\"}'\nd: \"it's \\\"e\\\"\"\nf: '\\d'\n"),
    ({"a": "é\x85\u2028\ufeff\U000e0001\x00\x1b\r\t"}, 'a: "é\\x85\\u2028\\uFEFF\\U000E0001\\0\\e\\r\\t"\n'),
    ({"a": 1e16, "b": 1.5, "c": -1e-7, "d": 3.0}, "a: 1.0e+16\nb: 1.5\nc: -1.0e-07\nd: 3.0\n"),
    ({"a": 12, "b": -3, "c": 0, "d": 2**70}, "a: 12\nb: -3\nc: 0\nd: 1180591620717411303424\n"),
    ({"a": math.inf, "b": -math.inf, "c": math.nan}, "a: .inf\nb: -.inf\nc: .nan\n"),
    ("a", "a\n"),
    ("a\nb\n", "|\n  a\n  b\n"),
    (None, "null\n"),
    ({}, "{}\n"),
    ([], "[]\n"),
    ({"a" * 1000: 1}, f"{'a' * 1000}: 1\n"),
    ({"a": {"b" * 1001: {"c": "d"}}}, f"a:\n  ? {'b' * 1001}\n  :\n    c: d\n"),
    ([{"1" * 999: ["c"]}], f'- ? "{"1" * 999}"\n  :\n  - c\n'),
]  # fmt: skip


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_text(value: object, text: str) -> None:
    assert emit.dump(value) == text


PLAIN = [
    *("a", "v1.2.3", "apps/v1", "/metrics", "$(POD_NAME)", "_a", "--provider=aws", "a b", "a - b", "a_1", "a,b", "e3"),
    *("yesterday", "arn:aws:iam::123456789012:role/a", "https://a.b/c?d=e&f=g", "cluster.x-k8s.io/a", "x=y:z"),
    "ghcr.io/a/b:v2.9.0@sha256:0123",
]


@pytest.mark.parametrize("text", PLAIN)
def test_no_quotes_without_need(text: str) -> None:
    assert emit.dump({text: text}) == f"{text}: {text}\n"


@pytest.mark.parametrize("char", [*"0123456789+-.~=<?:#&*!|>%@`[]{},'\" ", "\t", "é", "\x85", "\u2028"])
def test_what_starts_like_a_number_or_an_indicator_is_quoted(char: str) -> None:
    for text in (char, f"{char}a", f"{char}1", f"{char} a"):
        assert emit.dump([text])[2] in "\"'", text


@pytest.mark.parametrize(
    "word", ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"]
)
def test_words_are_quoted_in_every_case(word: str) -> None:
    for text in (word, word.upper(), word.title(), word.swapcase()):
        assert emit.dump({text: text}) == f'"{text}": "{text}"\n'


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_string(text: str) -> None:
    value = {"a": text, "b": [text, [text], {"c": text}], text: text, "d": {text: {text: text}}}
    written = emit.dump(value)
    for loaded in (yaml.safe_load(written), yaml.load(written, yaml.CSafeLoader), ruamel(written)):
        assert same(loaded, value)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_lines(text: str) -> None:
    """No other line ends, nothing invisible, no blanks at line ends, no empty lines at the end."""
    written = emit.dump({"a": text, text: [text]})
    assert written.endswith("\n")
    assert not written.endswith("\n\n")
    assert written.splitlines() == written[:-1].split("\n")
    assert all(line == line.rstrip() for line in written.splitlines())
    assert not set(written) & set("\0\x07\x1b\r\x7f\x85\xa0\xad\u200b\u2028\u2029\u202e\u2066\ufeff\uffff\U000e0001")


@given(DATA)
@example({"a": {"b": []}, "c": [[{}]]})
@settings(max_examples=400, deadline=None)
def test_python_reads_back_what_was_written(value: object) -> None:
    written = emit.dump(value)
    assert same(yaml.safe_load(written), value)
    assert same(yaml.load(written, yaml.CSafeLoader), value)
    assert emit.dump(value) == written


@given(STRINGS)
@settings(max_examples=400)
def test_what_was_written_before_does_not_matter(text: str) -> None:
    as_value = emit.dump([text])
    as_key = emit.dump({text: 1})
    assert emit.dump([text]) == as_value
    assert emit.dump({text: 1}) == as_key


@given(DATA)
@settings(max_examples=100, deadline=None)
def test_yaml_1_2_reads_back_what_was_written(value: object) -> None:
    assert same(ruamel(emit.dump(value)), value)


@given(DATA)
def test_json(value: object) -> None:
    written = emit.dump_json(value)
    assert written.isascii()
    assert written.endswith("\n")
    assert same(json.loads(written), value)


def test_json_text() -> None:
    assert emit.dump_json({"b": ["é"], "a": {}}) == '{\n  "b": [\n    "\\u00e9"\n  ],\n  "a": {}\n}\n'


def hostile_strings(count: int) -> list[str]:
    """The table, and as many strings again put together from the characters that matter; the same in every run."""
    chance = random.Random(20)  # noqa: S311 - not for secrets
    parts = [
        *"0123456789eExXob_.:+-=~ \n\t#'\"\\{}[],&*!|>%@`?<yYnNtf/$\r\0\x85\xa0\u2028\ufeffé😀",
        "--",
        ": ",
        " #",
        "0o",
        "\n\n",
        "a",
    ]
    return HOSTILE + ["".join(chance.choices(parts, k=chance.randint(1, 8))) for _ in range(count)]


@pytest.mark.tools
def test_go_reads_back_what_was_written(tmp_path: Path) -> None:
    """Helm: sigs.k8s.io/yaml, which Kubernetes and kubectl read with as well."""
    helm = tool("helm")
    strings = hostile_strings(6000)
    value = {"list": strings, "keys": {text: text for text in strings}, "deep": [[{text: [text]}] for text in strings]}
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: strings\nversion: 1.0.0\n")
    (chart / "templates" / "all.yaml").write_text("json: {{ .Values.all | toJson | b64enc }}\n")
    (tmp_path / "values.yaml").write_text(emit.dump({"all": value}), encoding="utf-8", newline="")
    run = subprocess.run(
        [helm, "template", "x", chart, "-f", tmp_path / "values.yaml"], check=True, capture_output=True
    )
    encoded = yaml.load(io.BytesIO(run.stdout), yaml.CSafeLoader)["json"]
    loaded = json.loads(base64.b64decode(encoded))
    assert loaded["list"] == strings
    assert loaded["keys"] == value["keys"]
    assert loaded["deep"] == value["deep"]


# What Kustomize itself writes so that neither it nor PyYAML can read it again, keys beyond 1,024 characters included.
BEYOND_KUSTOMIZE = re.compile("[\x7f-\x9f\ufffe\uffff]|.{1000}|\\A(?:<<|=|\\.[0-9][0-9_]*)\\Z", re.DOTALL)


@pytest.mark.tools
def test_kustomize_reads_back_what_was_written(tmp_path: Path) -> None:
    """Kustomize: a fork of yaml.v3; it writes YAML again, which PyYAML reads."""
    kustomize = tool("kustomize")
    strings = [text for text in hostile_strings(4000) if not BEYOND_KUSTOMIZE.search(text)]
    numbered = {f"k{index}": text for index, text in enumerate(strings)}
    spec = {"list": strings, "keys": dict.fromkeys(strings, "x"), "deep": [numbered, [numbered]]}
    value = {"apiVersion": "example.com/v1", "kind": "Strings", "metadata": {"name": "strings"}, "spec": spec}
    (tmp_path / "strings.yaml").write_text(emit.dump(value), encoding="utf-8", newline="")
    (tmp_path / "kustomization.yaml").write_text(emit.dump({"resources": ["strings.yaml"]}))
    run = subprocess.run([kustomize, "build", tmp_path], check=True, capture_output=True)
    assert yaml.load(io.BytesIO(run.stdout), yaml.CSafeLoader) == value


class Text(str):
    """A string that is written as the string it is, whatever it says of itself."""

    __slots__ = ()

    def __str__(self) -> str:
        return "other"

    def __format__(self, _spec: str) -> str:
        return "other"


class Colour(enum.StrEnum):
    """A string with a name."""

    RED = "red: 1"


class Number(int):
    """A number that says something else of itself."""

    def __str__(self) -> str:
        return "other"

    __repr__ = __str__


def test_kinds_of_strings_numbers_and_collections() -> None:
    shared = {"x": [Text("1e3")]}
    written = emit.dump({Text("8 y"): Text("9 a"), "c": Colour.RED, "d": Number(1), "e": [shared, shared]})
    assert written == '"8 y": "9 a"\nc: "red: 1"\nd: 1\ne:\n- x:\n  - "1e3"\n- x:\n  - "1e3"\n'


@pytest.mark.parametrize("value", [b"a", {1}, object(), {1: "a"}, {None: "a"}, [{True: "a"}], {("a",): "a"}, [1j]])
def test_no_yaml_for_anything_else(value: object) -> None:
    with pytest.raises(TypeError, match="no YAML form"):
        emit.dump(value)


@pytest.mark.parametrize("value", ["\ud800", ["a\udfffb\n"], {"\udc80": 1}, {"a": "x\n\ud8ff"}])
def test_no_lone_surrogates(value: object) -> None:
    with pytest.raises(ValueError, match="surrogate"):
        emit.dump(value)


def test_memory_does_not_grow_with_the_strings_seen() -> None:
    emit.dump({f"key{number}": f"{number}{'x' * 300}" for number in range(10_000)})
    tracemalloc.start()
    try:
        for run in range(5):
            emit.dump({f"key{run}-{number}": f"{number}{'x' * 300}" for number in range(10_000)})
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 3_000_000
    assert emit.dump(["1e3", "a"]) == '- "1e3"\n- a\n'
