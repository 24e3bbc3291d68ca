"""What a scalar stands for where all readers of YAML agree, and what to say where they do not.

Held against YAML 1.1 (the type repository at yaml.org), YAML 1.2 (core schema), PyYAML and Go's yaml.v2 and yaml.v3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from okgen.text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

Scalar = str | int | float | bool | None

CORE = "tag:yaml.org,2002:"
_LARGEST = 2**63 - 1
_MOST_DIGITS = 400

_KNOWN: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_YES_AND_NO = {
    form: meant
    for words, meant in ((("y", "yes", "on"), "true"), (("n", "no", "off"), "false"))
    for word in words
    for form in (word, word.capitalize(), word.upper())
}
_TYPES = {"int": int, "float": float, "bool": bool, "null": type(None)}
_MEANINGFUL = {"=": "a key of its own kind", "<<": "a merge"}
_NUMBER_STARTS = frozenset("+-.0123456789")

# Strings, not compiled: `re` keeps what it has compiled, and most files need few of them.
_INTEGER = r"[-+]?(?:0|[1-9][0-9]*)"
_HEXADECIMAL = r"0x[0-9a-fA-F]+"
_FLOAT = r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?"
_NOT_FINITE = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME = r"[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]*)?"
_ZONE = r"Z|[-+][0-9]{1,2}(?::?[0-9]{2})?"

_OLD_NUMBER = "a number to YAML 1.1 and a string to YAML 1.2"
_BASE_60 = "a number in base 60 to YAML 1.1 and a string to YAML 1.2"
_NEW_NUMBER = "a string to YAML 1.1 and a number to YAML 1.2"
_DISPUTED = "a number to some readers of YAML and a string to others"
# Tried without underscores.
_DOUBTFUL = (
    (r"[-+]?0[0-7]+", "octal to YAML 1.1 and decimal to YAML 1.2"),
    (r"[-+]?0[0-9]+", _NEW_NUMBER),
    (r"[-+]?0[oO][-+]?[0-7]+", _NEW_NUMBER),
    (r"[-+]?0[bB][-+]?[01]+", _OLD_NUMBER),
    (r"[-+]?0[xX][0-9a-fA-F]+", _DISPUTED),
    (r"[-+]?[1-9][0-9]*(?::[0-5]?[0-9])+|[-+]?[0-9]+(?::[0-5]?[0-9])+\.[0-9]*", _BASE_60),
    (rf"{_DATE}(?:(?:[Tt]|[ \t]+){_TIME}[ \t]*(?:{_ZONE})?)?", "a date to YAML 1.1 and a string to YAML 1.2"),
    (r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+", _NEW_NUMBER),
    (r"[-+]?\.[0-9]+", _DISPUTED),
    (r"[-+]?(?:[0-9]+(?:\.[0-9]*)?)", _OLD_NUMBER),
)


class Doubt(Exception):  # noqa: N818 - it is a verdict on the input, not a fault of the program
    """A scalar that cannot be taken: carries the code, the message and the help of a problem."""

    def __init__(self, code: str, message: str, help_text: str = "") -> None:
        self.code, self.message, self.help = code, message, help_text
        super().__init__(message)


def plain(text: str) -> Scalar:
    """The value of a scalar without quotes. Raises Doubt where readers of YAML differ."""
    if text in _KNOWN:
        return _KNOWN[text]
    if text[0] in _NUMBER_STARTS:
        return _number(text)
    if text in _YES_AND_NO:
        _differs(text, "a boolean to YAML 1.1 and a string to YAML 1.2", f", or {_YES_AND_NO[text]} if that is meant")
    if text in _MEANINGFUL:
        _differs(text, f"{_MEANINGFUL[text]} to YAML 1.1 and a string to YAML 1.2")
    return text


def is_date(text: str) -> bool:
    """Whether it is written as a date, 2027-01-31, be there one or not."""
    return re.fullmatch(_DATE, text) is not None


def tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with a tag of the core schema (``tag:yaml.org,2002:int``). Raises Doubt."""
    name = tag.removeprefix(CORE)
    if tag == CORE + "str":
        return text
    if name == tag or name not in _TYPES:
        raise wrong_tag(tag)
    value = plain(text)
    if name == "float" and type(value) is int:
        return float(value)
    if type(value) is not _TYPES[name]:
        raise Doubt("OKG110", f'"{shown(text)}" does not fit its tag !!{name}', "remove the tag")
    return value


def wrong_tag(tag: str) -> Doubt:
    """The Doubt about a tag that is not of the core schema, or of another kind of value."""
    written = "!!" + tag.removeprefix(CORE) if tag.startswith(CORE) else tag
    return Doubt("OKG110", f'tag "{shown(written)}": only plain values are read here', "remove the tag")


def _number(text: str) -> Scalar:
    if text[0] in "+-" and text[1:2] not in _NUMBER_STARTS and text[1:2] != "_":
        return text  # --a-flag, or a dash
    if re.fullmatch(_INTEGER, text):
        return _integer(text, 10)
    if re.fullmatch(_HEXADECIMAL, text):
        return _integer(text, 16)
    if re.fullmatch(_FLOAT, text):
        return _float(text)
    if re.fullmatch(_NOT_FINITE, text):
        raise Doubt("OKG109", f"{text} is not a number that JSON and Kubernetes know", f'write "{text}" for the string')
    for difference in _differences(text):
        _differs(text, difference)
    return text


def _differences(text: str) -> Iterator[str]:
    bare = text.replace("_", "") + "0" * text.endswith("_")  # PyYAML takes 0x_ for a number, and fails
    for pattern, difference in _DOUBTFUL:
        if re.fullmatch(pattern, bare):
            yield difference


def _integer(text: str, base: int) -> int:
    if len(text) <= _MOST_DIGITS:
        value = int(text, base)
        if -_LARGEST <= value <= _LARGEST:
            return value
    raise _too_long(text)


def _float(text: str) -> float:
    if len(text) <= _MOST_DIGITS:
        value = float(text)
        if abs(value) != float("inf"):
            return value
    raise _too_long(text)


def _too_long(text: str) -> Doubt:
    return Doubt(
        "OKG109", f"the number {shown(text)} is beyond what readers of YAML keep", "put it in quotes for a string"
    )


def _differs(text: str, difference: str, instead: str = "") -> NoReturn:
    raise Doubt("OKG108", f"{shown(text)} without quotes is {difference}", f'write "{shown(text)}"{instead}')
