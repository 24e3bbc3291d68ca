"""Whatever is read: a document or problems, never anything else; and what is written is what is read."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from okgen import emit
from okgen.codes import CODES
from okgen.read import source
from okgen.read.source import Document, Misread
from test_source import FILE, parse, plain

YAML_LIKE = st.text("ab01.:-?,[]{}&*!|>'\"%@`#~<=yn \n\t\r\\xé", max_size=60)
SIGNS = (": ", ":", "- ", "? ", "[", "]", "{", "}", ", ", "&x ", "*x", "<<", "'", '"', "#", "\\", "|\n", ">-\n")
WORDS = (
    "a",
    "b",
    "1",
    "yes",
    "\n",
    "\n  ",
    "\n    ",
    "!!str ",
    "!t ",
    "---\n",
    "...\n",
    "\t",
    "%TAG ! x\n",
    "\x85",
    "\ufeff",
)
PIECES = st.lists(st.sampled_from(SIGNS + WORDS), max_size=40).map("".join)


def check(raw: bytes) -> Document | None:
    """Whatever the bytes are: a document whose nodes tell of its data, or problems with places in the text."""
    try:
        document = source.parse(raw, FILE)
    except Misread as misread:
        check_problems(misread)
        return None
    assert repr(plain(document.root)) == repr(document.data)
    return document


def check_problems(misread: Misread) -> None:
    lines = misread.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert misread.problems
    for problem in misread.problems:
        assert problem.code in CODES
        # Without a line end at its end, the end of a file is the start of one more line to libyaml.
        assert 1 <= problem.line <= len(lines) + 1
        assert 1 <= problem.column <= len([*lines, ""][problem.line - 1]) + 1


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    check(raw)


@given(st.one_of(YAML_LIKE, PIECES))
def test_any_text(text: str) -> None:
    check(text.encode())


@given(st.one_of(YAML_LIKE, PIECES))
def test_any_text_without_libyaml(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "__with_libyaml__", False)
        document = check(text.encode())
    # PyYAML's own parser refuses some of the tabs that libyaml takes, and libyaml some keys that the other takes.
    if document is not None and (same := check(text.encode())) is not None:
        assert repr(document.data) == repr(same.data)


# What Kustomize cannot read is refused, however it is written.
REFUSED = "".join(map(chr, range(0x7F, 0xA0))) + "\ufffe\uffff"
STRINGS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=REFUSED), max_size=20),
    st.sampled_from(
        ["yes", "012", "0o14", "1e3", "12:30", "~", "", "<<", "=", "*a", "a: b", "- a", "\u2028", "1_0", "y"]
    ),
)
SCALARS = st.one_of(
    STRINGS,
    st.none(),
    st.booleans(),
    st.integers(1 - 2**63, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4), max_leaves=20
)


@given(VALUES)
def test_what_okgen_writes_it_reads(value: object) -> None:
    text = emit.dump(value)
    assume(text.strip())

    assert repr(parse(text).data) == repr(value)


@given(VALUES, st.sampled_from(["'", '"']), st.booleans())
def test_what_pyyaml_writes_in_quotes_is_read(value: object, style: str, flow: bool) -> None:
    text = yaml.safe_dump(value, default_style=style, default_flow_style=flow, sort_keys=False)

    assert repr(parse(text).data) == repr(value)
