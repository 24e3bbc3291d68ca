"""Diffs that are shown: of texts, short, exact about line ends."""

from __future__ import annotations

import pytest

from okgen.write.unified import MOST_BYTES, unified

HEAD = "--- what is there\n+++ what would be rendered\n"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n", HEAD + "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"),
        (b"", b"a\n", HEAD + "@@ -0,0 +1 @@\n+a\n"),
        (b"a\n", b"", HEAD + "@@ -1 +0,0 @@\n-a\n"),
        (b"a", b"a\n", HEAD + "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"),
        (b"a\r\n", b"a\n", HEAD + "@@ -1 +1 @@\n-a\r\n+a\n"),
        (b"--- a\n", b"+++ b\n", HEAD + "@@ -1 +1 @@\n---- a\n++++ b\n"),
        (b"a\0\n", b"a\n", "no text: it holds bytes that are not UTF-8, or a zero\n"),
        (b"\xff\n", b"a\n", "no text: it holds bytes that are not UTF-8, or a zero\n"),
    ],
)
def test_two_files(before: bytes, after: bytes, expected: str) -> None:
    assert unified(before, after, 20) == expected


def test_no_more_lines_than_asked_for() -> None:
    said = unified(b"a\n" * 50, b"b\n" * 50, 20)

    assert said.splitlines()[2] == "@@ -1,50 +1,50 @@"
    assert said.splitlines()[-1] == "... 81 lines more"
    assert len(said.splitlines()) == 2 + 20 + 1


def test_long_lines_are_compared_whole_and_shown_in_part() -> None:
    said = unified(b"a" * 500 + b"\n", b"a" * 500 + b"b\n", 20)

    assert said.splitlines()[3:] == [f"-{'a' * 199}...", f"+{'a' * 199}..."]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (b"a" * (MOST_BYTES + 1), "too large to show: 262,145 bytes there, 2 rendered\n"),
        (b"a\n" * 2_001, "too long to show: 2,001 lines there, 1 rendered\n"),
    ],
)
def test_what_would_take_long(before: bytes, expected: str) -> None:
    assert unified(before, b"a\n", 20) == expected
