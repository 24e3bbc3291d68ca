"""The index: its bytes, what is read from them, and every way in which they can be no index."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okgen.problem import Problem, Refused
from okgen.write import index

A, B = index.digest(b"a"), index.digest(b"b")
PLACE = "output/demo/.okgen.json"


def refused(data: bytes) -> Problem:
    with pytest.raises(Refused) as caught:
        index.parse(data, os.path.abspath(PLACE))
    (problem,) = caught.value.problems
    assert problem.file == PLACE
    assert problem.severity == "error"
    assert problem.help
    return problem


def test_text() -> None:
    assert index.text(index.Index("1.2.3", {"b": B, "a/c.yaml": A}, {})) == (
        '{\n  "version": 1,\n  "okgen": "1.2.3",\n  "files": {\n'
        f'    "a/c.yaml": "{A}",\n    "b": "{B}"\n  }}\n}}\n'.encode()
    )


def test_text_while_files_change() -> None:
    written = index.text(index.Index("1.2.3", {}, {"a": A}))
    assert written.endswith(f'"files": {{}},\n  "pending": {{\n    "a": "{A}"\n  }}\n}}\n'.encode())


PATHS = st.from_regex(r"\A[!#-.0-\[\]-~ ]{1,20}(/[!#-.0-\[\]-~ ]{1,20}){0,3}\Z").filter(index.is_path)
TABLES = st.dictionaries(PATHS, st.binary(max_size=2).map(index.digest), max_size=5)


@given(TABLES, TABLES)
def test_what_is_written_is_read_again(files: dict[str, str], pending: dict[str, str]) -> None:
    known = index.Index("1.2.3.dev4+local", files, pending)
    written = index.text(known)
    assert index.parse(written, PLACE) == known
    assert json.loads(written)["files"] == files


def test_knows_what_was_written_and_what_was_to_be() -> None:
    known = index.Index("1", {"a": A}, {"a": B, "b": B})
    assert known.knows("a", A)
    assert known.knows("a", B)
    assert known.knows("b", B)
    assert not known.knows("b", A)
    assert not known.knows("c", A)


@pytest.mark.parametrize("path", ["a", "a/b.yaml", "a.b/..c", "...", "a b", ".git", "x/.okgen.json", "a:b@c", "-"])
def test_paths_of_a_tree(path: str) -> None:
    assert index.is_path(path)


OUTSIDE = [
    *("", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/.", "a/..", "a/../b", "a/./b", "a\\b", 'a"b', "a\nb"),
    *("a\n", "a\0", "é", "a\x7f", ".okgen.json", ".okgen.tmp/0", ".okgen"),
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_paths_of_a_tree(path: str) -> None:
    assert not index.is_path(path)
    for key in ("files", "pending"):
        data = {"version": 1, "okgen": "1", "files": {}, key: {path: A}}
        problem = refused(json.dumps(data).encode())
        assert problem.code == "OKG501"
        assert "path" in problem.message


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\0", b"{", b"[]", b"null", b"1", b'"a"', b"\xff\xfe", b"[" * 100_000, b'{"version": 1}', b"{}" * 2),
        *(b'{"version": "1"}', b'{"version": true}', b'{"version": 0}', b'{"version": 1.0}', b'{"version": null}'),
        *(b'{"version": 1, "okgen": 1, "files": {}}', b'{"version": 1, "okgen": "a b\\n", "files": {}}'),
        *(b'{"version": 1, "okgen": "1", "files": []}', b'{"version": 1, "okgen": "1", "files": {"a": 1}}'),
        *(b'{"version": 1, "okgen": "1", "files": {"a": "abc"}}', b'{"version": 1, "okgen": "1", "files": null}'),
        f'{{"version": 1, "okgen": "1", "files": {{"a": "{A.upper()}"}}}}'.encode(),
        f'{{"version": 1, "okgen": "1", "files": {{"a": "{A}", "a": "{B}"}}}}'.encode(),
        *(b'{"version": 1, "okgen": "1", "files": {}, "pending": []}', b'{"version": 1, "files": {}}'),
    ],
)
def test_damaged(data: bytes) -> None:
    problem = refused(data)
    assert problem.code == "OKG501"
    assert problem.message.startswith("the index is damaged: ")
    assert "restore it from Git, or delete it" in problem.help


def test_damage_has_a_place() -> None:
    problem = refused(b'{\n  "version": 1,\n  "okgen": oops\n}\n')
    assert (problem.line, problem.column) == (3, 12)


@pytest.mark.parametrize("marks", [b"<<<<<<< HEAD\n", b"=======\n", b">>>>>>> main\n"])
def test_merge_conflict(marks: bytes) -> None:
    lines = index.text(index.Index("1", {"a": A, "b": B}, {})).splitlines(keepends=True)
    problem = refused(b"".join([*lines[:4], marks, *lines[4:]]))
    assert (problem.code, problem.line, problem.column) == ("OKG502", 5, 1)
    assert "merge conflict" in problem.message
    assert "take either side" in problem.help


def test_newer_format() -> None:
    problem = refused(b'{"version": 2, "new": "shape"}')
    assert problem.code == "OKG503"
    assert "format 2" in problem.message


def test_what_is_unknown_is_ignored() -> None:
    assert index.parse(b'{"version": 1, "okgen": "1", "files": {}, "more": 1}', PLACE) == index.Index("1", {}, {})


@given(st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 20))
def test_any_damage_is_noticed_or_harmless(at: int, inserted: bytes, cut: int) -> None:
    whole = index.text(index.Index("1.2.3", {"a/b": A, "c": B}, {"d": A}))
    start = at % len(whole)
    data = whole[:start] + inserted + whole[start + cut :]
    try:
        known = index.parse(data, PLACE)
    except Refused:
        return
    assert all(map(index.is_path, {**known.files, **known.pending}))
