"""Scalars without quotes: taken where every reader of YAML agrees, refused where they differ."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from okgen.codes import CODES
from okgen.read import scalars
from okgen.read.scalars import Doubt

AGREED = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "0": 0,
    "-0": 0,
    "+12": 12,
    "-12": -12,
    "12": 12,
    "123456789012": 123456789012,
    "9223372036854775807": 2**63 - 1,
    "0x1F": 31,
    "1.30": 1.3,
    "-1.5": -1.5,
    "1.": 1.0,
    ".5": 0.5,
    "00.5": 0.5,
    "1.5e+3": 1500.0,
    "1.5E-3": 0.0015,
}
STRINGS = (
    *("nULL", "tRUE", "Yess", "yEs", "none", "nil", "T", "F", "oN", "a", "é", "٣", "inf", "nan", "NaN"),
    *("-", "--", "---a", "-a", "--leader-elect", "-- 1", "+", ".", "..", ".infinity", "-.nan", "===", "<", "<<<"),
    *(
        "eu-west-1",
        "1.2.3",
        "v1.34",
        "2.9.0",
        "0.22.0",
        "10m",
        "64Mi",
        "1d",
        "100%",
        "10.0.0.0/16",
        "1,000",
        "1/2",
        "1 2",
    ),
    *(
        "0x",
        "0xZZ",
        "0b2",
        "0o8",
        "0o",
        "1e",
        "e3",
        "_1",
        "a_1",
        "1a",
        "sha256:0123",
        "arn:aws:iam::123456789012:role/a",
    ),
    *("00:30", "0:30", "12:60", "12:", "1:2:", "2001-12-14a", "2001-1", "12-14", "12-14-2001", "${{ values.a }}", "$1"),
)
BOOLEAN, DATE = "a boolean to YAML 1.1", "a date to YAML 1.1"
OLD, NEW = "a number to YAML 1.1", "a string to YAML 1.1 and a number"
SOME = "a number to some readers of YAML"
REFUSED = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), BOOLEAN),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), BOOLEAN),
    **dict.fromkeys(("012", "-012", "00", "0_7"), "octal to YAML 1.1"),
    **dict.fromkeys(("08", "012345678901", "+09"), NEW),
    **dict.fromkeys(("0o14", "-0o7", "0O7", "0o-7"), NEW),
    **dict.fromkeys(("1e3", "1E3", "1.5e3", "12e7", "1.e3", ".5e3", "1e+3", "-1e3"), NEW),
    **dict.fromkeys(("0b1", "-0b1", "0B1", "0b_", "0b+1"), OLD),
    **dict.fromkeys(("1_000", "1_", "-1_0", "1_000.5", "+_1"), OLD),
    **dict.fromkeys(("12:30", "1:2:3.4", "190:20:30", "0:30.", "1_2:30"), "a number in base 60"),
    **dict.fromkeys(("-0x1F", "0X1F", "0x_1", "0x_", "-.5", "+.5"), SOME),
    **dict.fromkeys(("2001-12-14", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10 -5"), DATE),
    **dict.fromkeys(("2001-12-15 2:59:43.10", "2001-12-14T21:59:43Z", "2012-10-17", "2001-99-99"), DATE),
    "=": "a key of its own kind",
    "<<": "a merge",
}
OUT_OF_RANGE = (
    *(".inf", "-.Inf", "+.INF", ".nan", ".NaN", ".NAN"),
    *("9223372036854775808", "-9223372036854775809", "1" * 5000, "0x" + "f" * 16, "1.0e+999", "1." + "1" * 5000),
)


@pytest.mark.parametrize(("text", "value"), AGREED.items())
def test_agreed(text: str, value: object) -> None:
    found = scalars.plain(text)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", STRINGS)
def test_string(text: str) -> None:
    assert scalars.plain(text) == text


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_readers_differ(text: str, reason: str) -> None:
    with pytest.raises(Doubt, match=re.escape(f"{text} without quotes is {reason}")) as caught:
        scalars.plain(text)

    assert caught.value.code == "OKG108"
    assert f'write "{text}"' in caught.value.help


@pytest.mark.parametrize(("text", "instead"), [("yes", "true"), ("Off", "false"), ("y", "true"), ("NO", "false")])
def test_boolean_words_offer_the_boolean(text: str, instead: str) -> None:
    with pytest.raises(Doubt) as caught:
        scalars.plain(text)

    assert caught.value.help == f'write "{text}", or {instead} if that is meant'


@pytest.mark.parametrize("text", OUT_OF_RANGE)
def test_out_of_range(text: str) -> None:
    with pytest.raises(Doubt) as caught:
        scalars.plain(text)

    assert caught.value.code == "OKG109"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("str", "012", "012"),
        ("str", "", ""),
        ("int", "3", 3),
        ("float", "3", 3.0),
        ("float", "1.5", 1.5),
        ("bool", "true", True),
        ("null", "", None),
    ],
)
def test_tag(tag: str, text: str, value: object) -> None:
    found = scalars.tagged(scalars.CORE + tag, text)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("tag", "text", "message"),
    [
        (scalars.CORE + "int", "a", '"a" does not fit its tag !!int'),
        (scalars.CORE + "int", "true", '"true" does not fit its tag !!int'),
        (scalars.CORE + "int", "1.5", '"1.5" does not fit its tag !!int'),
        (scalars.CORE + "bool", "1", '"1" does not fit its tag !!bool'),
        (scalars.CORE + "null", "a", '"a" does not fit its tag !!null'),
        (scalars.CORE + "float", "true", '"true" does not fit its tag !!float'),
        (scalars.CORE + "binary", "a", 'tag "!!binary"'),
        (scalars.CORE + "map", "a", 'tag "!!map"'),
        ("!Ref", "a", 'tag "!Ref"'),
        ("int", "1", 'tag "int"'),
        ("!", "1", 'tag "!"'),
    ],
)
def test_tag_that_does_not_fit(tag: str, text: str, message: str) -> None:
    with pytest.raises(Doubt, match=f"^{re.escape(message)}") as caught:
        scalars.tagged(tag, text)

    assert caught.value.code == "OKG110"


def test_tag_does_not_settle_what_readers_differ_on() -> None:
    with pytest.raises(Doubt, match="octal"):
        scalars.tagged(scalars.CORE + "int", "012")


def core_schema(text: str) -> Any:
    """What YAML 1.2.2, section 10.3.2, says of a plain scalar."""
    if re.fullmatch(r"null|Null|NULL|~|", text):
        return None
    if re.fullmatch(r"true|True|TRUE|false|False|FALSE", text):
        return text.lower() == "true"
    for pattern, base in ((r"[-+]?[0-9]+", 10), (r"0o[0-7]+", 8), (r"0x[0-9a-fA-F]+", 16)):
        if re.fullmatch(pattern, text):
            return int(text, base)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    return text


SHORT = st.one_of(
    st.text("0123456789", max_size=6),
    st.text("01289abefoxABEFOX_.:+-", min_size=1, max_size=8),
    st.from_regex(r"[-+]?[0-9_]{1,4}(\.[0-9_]{0,2})?([eE][-+]?[0-9_]{1,2})?", fullmatch=True),
    st.from_regex(r"[-+]?[0-9]{1,3}(:[0-9]{1,2}){1,2}(\.[0-9]?)?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}Z?)?", fullmatch=True),
    st.text("ynostrufaleYNOSTRUFAE~<=", max_size=5),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)


def doubt(text: str) -> Doubt | None:
    try:
        scalars.plain(text)
    except Doubt as found:
        return found
    return None


@given(SHORT)
def test_what_is_taken_is_the_same_to_others(text: str) -> None:
    assume(text not in {"!", "&", "*"})  # which no parser returns as a scalar, though PyYAML has a meaning for them
    assume(doubt(text) is None)
    value = scalars.plain(text)
    resolver: Any = yaml.SafeLoader("")
    to_pyyaml = resolver.construct_object(yaml.ScalarNode(resolver.resolve(yaml.ScalarNode, text, (True, False)), text))

    assert (type(value), value) == (type(to_pyyaml), to_pyyaml)
    assert (type(value), value) == (type(core_schema(text)), core_schema(text))


@given(SHORT)
def test_what_is_refused_says_why_and_the_way_out(text: str) -> None:
    found = doubt(text)
    assume(found is not None)
    assert found is not None

    assert found.code in CODES
    assert found.message
    assert found.help
