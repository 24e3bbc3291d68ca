"""Reading YAML files: plain data, or every problem at its place."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from okgen.read import source
from okgen.read.source import Document, Misread, Node

FILE = "cluster.yaml"


def parse(text: str) -> Document:
    return source.parse(text.encode(), FILE)


def refused(raw: str | bytes) -> list[str]:
    """The problems as "line:column code path message"."""
    with pytest.raises(Misread) as caught:
        source.parse(raw.encode() if isinstance(raw, str) else raw, FILE)
    assert {each.file for each in caught.value.problems} == {FILE}
    assert {each.severity for each in caught.value.problems} == {"error"}
    return [f"{p.line}:{p.column} {p.code} {p.path} {p.message}" for p in caught.value.problems]


DATA = {
    "a: b\n": {"a": "b"},
    "a:\n": {"a": None},
    "a: {b: [c, 1, 1.5, true, null, ~, ]}\n": {"a": {"b": ["c", 1, 1.5, True, None, None]}},
    "- a\n- - b\n  - c\n": ["a", ["b", "c"]],
    "a": "a",
    "~": None,
    "a: 'yes'\nb: \"012\"\nc: |\n  12:30\nd: >-\n  on\n": {"a": "yes", "b": "012", "c": "12:30\n", "d": "on"},
    "'y': 1\n\"1\": 2\n'<<': 3\n'=': 4\n? |-\n  null\n: 5\n": {"y": 1, "1": 2, "<<": 3, "=": 4, "null": 5},
    "? a\n: b\n? c\n": {"a": "b", "c": None},
    "a: {b, c: d}\n": {"a": {"b": None, "c": "d"}},
    "a: !!str 012\nb: !!int 3\nc: !!map {}\nd: !!seq []\n!!str 1: 2\n": {"a": "012", "b": 3, "c": {}, "d": [], "1": 2},
    "a: !!float 1\nb: !!null\nc: !!bool 'true'\n": {"a": 1.0, "b": None, "c": True},
    # documents, byte order mark, ends of lines
    "---\na: b\n": {"a": "b"},
    "--- # c\na: b\n...\n": {"a": "b"},
    "---\n---\na: b\n---\n---\n# c\n": {"a": "b"},
    "a: b\n...\n---\n...\n": {"a": "b"},
    "%YAML 1.2\n---\na: b\n": {"a": "b"},
    "\ufeffa: b\n": {"a": "b"},
    "a: b\r\nc:\r\n- d\r\n": {"a": "b", "c": ["d"]},
    "a: b\rc: d\r": {"a": "b", "c": "d"},
    'a: "\\x07\\0\\u2028\\U0001F600"\n': {"a": "\x07\0\u2028\U0001f600"},
    "a: 😀é漢 # ü\n": {"a": "😀é漢"},
    # anchors, aliases, merge keys
    "a: &x [b]\nc: *x\n": {"a": ["b"], "c": ["b"]},
    "a: &x b\n*x : c\n": {"a": "b", "b": "c"},
    "&x a: *x\n": {"a": "a"},
    "a: &x 1\nb: &x 2\nc: *x\n": {"a": 1, "b": 2, "c": 2},
    "a: &x {b: &x c}\nd: *x\n": {"a": {"b": "c"}, "d": "c"},
    "a: &x {b: 1, c: 2}\nd:\n  c: 3\n  <<: *x\n": {"a": {"b": 1, "c": 2}, "d": {"c": 3, "b": 1}},
    "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}\n": {
        "a": {"b": 1},
        "c": {"b": 2, "d": 3},
        "e": {"b": 1, "d": 3},
    },
    "a: {<<: {b: 1}, c: 2}\n": {"a": {"c": 2, "b": 1}},
    "a: {<<: [], c: 2}\n": {"a": {"c": 2}},
    "a: &x {b: 1}\nc: &y {<<: *x, d: 2}\ne: {<<: *y}\n": {
        "a": {"b": 1},
        "c": {"d": 2, "b": 1},
        "e": {"d": 2, "b": 1},
    },
}


@pytest.mark.parametrize(("text", "data"), DATA.items())
@pytest.mark.parametrize("libyaml", [True, False])
def test_data(text: str, data: object, libyaml: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", libyaml)

    document = parse(text)

    assert repr(document.data) == repr(data)
    assert repr(plain(document.root)) == repr(data)


def plain(node: Node) -> Any:
    """The data again, put together from the nodes."""
    if isinstance(node.children, dict):
        return {key: plain(child) for key, (_, _, child) in node.children.items()}
    if isinstance(node.children, list):
        return [plain(child) for child in node.children]
    return node.value


def test_what_aliases_stand_for_is_not_shared() -> None:
    document = parse("a: &x {b: [c]}\nd: *x\ne: {<<: *x}\nf: [*x, *x]\n")
    document.data["d"]["b"].append("g")
    document.data["e"]["b"].append("h")
    document.data["f"][0]["b"].append("i")

    assert document.data == {
        "a": {"b": ["c"]},
        "d": {"b": ["c", "g"]},
        "e": {"b": ["c", "h"]},
        "f": [{"b": ["c", "i"]}, {"b": ["c"]}],
    }


TWICE = "stands here twice, first in line"
PROBLEMS = {
    # keys
    "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 4\n": [
        f'5:3 OKG106 b.c key "c" {TWICE} 3',
        f'6:1 OKG106 a key "a" {TWICE} 1',
    ],
    "a: 1\n'a': 2\n\"a\": 3\n": [f'2:1 OKG106 a key "a" {TWICE} 1', f'3:1 OKG106 a key "a" {TWICE} 1'],
    "[{a: 1, a: 2}]\n": [f'1:9 OKG106 [0].a key "a" {TWICE} 1'],
    "a: &x {b: 1}\nc:\n  <<: *x\n  d: 1\n  <<: *x\n": [f'5:3 OKG106 c.<< key "<<" {TWICE} 3'],
    "1: a\n": ["1:1 OKG107 1 key 1 without quotes is a number: keys are strings"],
    "a: {1.5: b}\n": ["1:5 OKG107 a.1.5 key 1.5 without quotes is a number: keys are strings"],
    "true: a\n": ["1:1 OKG107 true key true without quotes is a boolean: keys are strings"],
    "null: a\n": ["1:1 OKG107 null key null without quotes is null: keys are strings"],
    "?\n: a\n": ["1:2 OKG107  an empty key: keys are strings"],
    "? [a, yes]\n: b\n": [
        "1:3 OKG107 ? a list as a key: keys are strings",
        "1:7 OKG108 ?[1] yes without quotes is a boolean to YAML 1.1 and a string to YAML 1.2",
    ],
    "? {a: b}\n: c\n": ["1:3 OKG107 ? a mapping as a key: keys are strings"],
    "a: &x [b]\n*x : c\n": ["2:1 OKG107 ? a list as a key: keys are strings"],
    "yes: a\n": ["1:1 OKG108 yes yes without quotes is a boolean to YAML 1.1 and a string to YAML 1.2"],
    "12:30: a\n": ["1:1 OKG108 12:30 12:30 without quotes is a number in base 60 to YAML 1.1 and a string to YAML 1.2"],
    # values
    "a: [on, 012]\nb: on\n": [
        "1:5 OKG108 a[0] on without quotes is a boolean to YAML 1.1 and a string to YAML 1.2",
        "1:9 OKG108 a[1] 012 without quotes is octal to YAML 1.1 and decimal to YAML 1.2",
        "2:4 OKG108 b on without quotes is a boolean to YAML 1.1 and a string to YAML 1.2",
    ],
    "a: <<\n": ["1:4 OKG108 a << without quotes is a merge to YAML 1.1 and a string to YAML 1.2"],
    "a: .inf\n": ["1:4 OKG109 a .inf is not a number that JSON and Kubernetes know"],
    "a: 99999999999999999999\n": ["1:4 OKG109 a the number 99999999999999999999 is beyond what readers of YAML keep"],
    # tags
    "a: !Ref b\n": ['1:4 OKG110 a tag "!Ref": only plain values are read here'],
    "a: !!python/object/apply:os.system [b]\n": [
        '1:4 OKG110 a tag "!!python/object/apply:os.system": only plain values are read here'
    ],
    "a: !!set {b}\n": ['1:4 OKG110 a tag "!!set": only plain values are read here'],
    "a: !!seq {}\n": ['1:4 OKG110 a tag "!!seq": only plain values are read here'],
    "a: !!str []\n": ['1:4 OKG110 a tag "!!str": only plain values are read here'],
    "a: ! b\n": ['1:4 OKG110 a tag "!": only plain values are read here'],
    "a: !!binary aGk=\n": ['1:4 OKG110 a tag "!!binary": only plain values are read here'],
    "a: !<tag:example.com,2000:b> c\n": ['1:4 OKG110 a tag "tag:example.com,2000:b": only plain values are read here'],
    "a: !!int b\n": ['1:4 OKG110 a "b" does not fit its tag !!int'],
    "# a\n%TAG ! tag:example.com,2000:\n---\na: !b c\n": [
        "2:1 OKG110  a %TAG directive: only plain values are read here"
    ],
    # aliases
    "a: *b\n": ['1:4 OKG111 a alias "*b": no "&b" stands before it'],
    "a: *b\nb: &b c\n": ['1:4 OKG111 a alias "*b": no "&b" stands before it'],
    "*a : b\n": ['1:1 OKG111 ? alias "*a": no "&a" stands before it'],
    "&a [b, *a]\n": ['1:8 OKG111 [1] alias "*a" stands inside what it stands for'],
    "a: &a\n  b: *a\n": ['2:6 OKG111 a.b alias "*a" stands inside what it stands for'],
    "a: &a {<<: *a}\n": ['1:12 OKG111 a.<< alias "*a" stands inside what it stands for'],
    "a: {<<: b}\n": ['1:9 OKG112 a.<< the merge key "<<" takes a mapping, or a list of mappings'],
    "a: {<<: [{b: c}, d]}\n": ['1:9 OKG112 a.<< the merge key "<<" takes a mapping, or a list of mappings'],
    "a: {<<: }\n": ['1:9 OKG112 a.<< the merge key "<<" takes a mapping, or a list of mappings'],
    # documents
    "": ["1:1 OKG104  the file holds no data"],
    "\ufeff": ["1:1 OKG104  the file holds no data"],
    "# a\n\n": ["1:1 OKG104  the file holds no data"],
    "---\n...\n---\n": ["1:1 OKG104  the file holds no data"],
    "a: b\n---\nc: d\n---\ne: f\n": ["2:1 OKG105  a second YAML document starts here"],
    "a: yes\n--- c\n": [
        "1:4 OKG108 a yes without quotes is a boolean to YAML 1.1 and a string to YAML 1.2",
        "2:1 OKG105  a second YAML document starts here",
    ],
    # characters
    "a: b\x07\nc: \x1b[31m\n": ["1:5 OKG103  control character U+0007", "2:4 OKG103  control character U+001B"],
    "a: é\x7f\n": ["1:5 OKG103  control character U+007F"],
    "# b\x85a: c\n": ["1:4 OKG103  U+0085 ends a line for YAML 1.1 and does not for YAML 1.2"],
    "a: 'b\u2028c'\r\n#\u2029": [
        "1:6 OKG103  U+2028 ends a line for YAML 1.1 and does not for YAML 1.2",
        "2:2 OKG103  U+2029 ends a line for YAML 1.1 and does not for YAML 1.2",
    ],
    "a: \ufeffb\n": ["1:4 OKG103  control character U+FEFF"],
    "a: \ufffe\n": ["1:4 OKG103  control character U+FFFE"],
    "a: b\n\0": ["2:1 OKG103  control character U+0000"],
    "\x01" * 99: [f"1:{n} OKG103  control character U+0001" for n in range(1, 21)],
    # a mistake of another kind first
    "a: 1\na: on\nb: [\n": [
        f'2:1 OKG106 a key "a" {TWICE} 1',
        "2:4 OKG108 a on without quotes is a boolean to YAML 1.1 and a string to YAML 1.2",
        '3:4 OKG101  this "[" is never closed',
    ],
}
BYTES = {
    b"a: \xff\n": ["1:4 OKG102  byte 0xff does not belong to UTF-8 text"],
    b"a: \xc3\xa9\r\nb: \xc3\xa9\xe9 c\n": ["2:5 OKG102  byte 0xe9 does not belong to UTF-8 text"],
    b"\xef\xbb\xbfa: b\nc: \xed\xa0\x80\n": ["2:4 OKG102  byte 0xed does not belong to UTF-8 text"],
    b"a: \xc3": ["1:4 OKG102  byte 0xc3 does not belong to UTF-8 text"],
    "a: b\n".encode("utf-16"): ["1:1 OKG102  the file looks like UTF-16 or UTF-32, which is not read here"],
    "a: b\n".encode("utf-16-be"): ["1:1 OKG102  the file looks like UTF-16 or UTF-32, which is not read here"],
    "a: b\n".encode("utf-32-le"): ["1:1 OKG102  the file looks like UTF-16 or UTF-32, which is not read here"],
}


@pytest.mark.parametrize(("raw", "problems"), [*PROBLEMS.items(), *BYTES.items()])
def test_problems(raw: str | bytes, problems: list[str]) -> None:
    assert refused(raw) == problems


def test_a_refusal_keeps_the_text_for_excerpts() -> None:
    with pytest.raises(Misread) as caught:
        source.parse(b"\xef\xbb\xbfa: yes\r\n", FILE)
    assert caught.value.text == "a: yes\r\n"

    with pytest.raises(Misread) as caught:
        source.parse(b"a: \xff\n", FILE)
    assert caught.value.text == "a: \ufffd\n"
