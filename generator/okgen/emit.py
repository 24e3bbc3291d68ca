"""Writes plain data as the YAML that Kubernetes people write, such that Go and Python readers take it alike."""

from __future__ import annotations

import json
import re
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, Any, NoReturn, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Writer = Callable[[object, str], str]  # takes a value and the indentation of its lines but the first

# What every reader takes as a string without quotes: it starts with a letter, "/", "_", "$" or like an argument
# ("--name"), holds no quotes, brackets, braces or "#", and colons or a space only before one of these characters.
# Whatever else starts with a sign, a digit or a dot is quoted: Go's readers see numbers where PyYAML sees none
# (1e3, 0o14).
_INNER = r"[A-Za-z0-9_./@$%^*()+=~;<>?!&,|\\-]"
_PLAIN = re.compile(rf"(?:[A-Za-z/_$]|--[A-Za-z])(?:{_INNER}++|(?::++| )(?={_INNER}))*+")
# Quoted in any mixture of cases: words that YAML 1.1, YAML 1.2 or a number parser behind them takes for something else.
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"))

# What a YAML stream may not hold, what YAML 1.1 takes for a line end, and what a reviewer cannot see (bidirectional
# marks, joiners, tags). A fixed list: str.isprintable() changes with the Unicode version of the interpreter.
_INVISIBLE = (
    r"\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\ud800-\udfff"
    r"\ufeff\ufff9-\uffff\U0001fffe\U0001ffff\U000e0000-\U0010ffff"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_ESCAPED = re.compile(rf'[{_INVISIBLE}\t\n"\\]')
_SINGLE = re.compile(rf"[^{_INVISIBLE}\t\n']*")
# A literal block is not exact when something in it needs an escape, and not safe when a line ends in blanks or the text
# in empty lines (editors and commit hooks trim both) or when it starts with a blank (its indentation is guessed).
_NOT_LITERAL = re.compile(rf"[{_INVISIBLE}]|[ \t](?:\n|\Z)|\A[ \t\n]|\n\n\Z")
_ESCAPES = {"\0": r"\0", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\x1b": r"\e", '"': r"\"", "\\": r"\\"}

_CONSTANTS = {None: "null", True: "true", False: "false"}

_LONGEST_KEY = 1000  # readers look for the colon of a key within 1,024 characters (YAML 1.2.2, 7.4.2)
_LONGEST_KEPT = 256
_MOST_KEPT = 4_096

_COMPACT = json.JSONEncoder(separators=(",", ":")).encode  # made once: dumps() makes one for each call

# Strings repeat from object to object and from cluster to cluster, so each is judged once.
_kept: dict[str, str] = {}


class Shared:
    """A mapping or list that stands in many documents and does not change: written once for each depth it stands at."""

    __slots__ = ("_size", "_texts", "_value", "is_list")

    def __init__(self, value: Mapping[str, Any] | Sequence[Any]) -> None:
        self._value, self.is_list, self._size = value, not isinstance(value, dict), 0
        self._texts: dict[tuple[Writer, str], str] = {}

    @property
    def value(self) -> Any:  # noqa: ANN401 - the mapping or list
        """The data itself."""
        return self._value

    @property
    def size(self) -> int:
        """Characters as compact JSON in ASCII."""
        if not self._size:
            self._size = len(self.text(compact, ""))
        return self._size

    def text(self, write: Writer, indent: str) -> str:
        """What is written for it at this depth, which is not the top."""
        found = self._texts.get((write, indent))
        if found is None:
            found = self._texts[write, indent] = write(self.value, indent)
        return found


# What never changes, by id, which stands for the same object as long as that is kept here.
_lasting: dict[int, Shared] = {}


def keep(value: object) -> None:
    """Have a value that never changes, a part of a template, written once for each depth it is met at."""
    if isinstance(value, dict | list) and value:
        _lasting[id(value)] = Shared(value)


def dump(value: object) -> str:
    """The YAML of a value made of dict, list, str, int, float, bool and None; it ends with a line end.

    Keys keep their order. What occurs twice is written twice: no aliases.
    Raises TypeError for anything else, keys that are no strings included, and ValueError for a lone surrogate.
    """
    out: list[str] = []
    if isinstance(value, dict) and value:
        _mapping(value, "", "", out)
    elif isinstance(value, list | tuple) and value:
        _sequence(value, "", "", out)
    else:
        out.append(value.text(yaml_at, "") if isinstance(value, Shared) else f"{_scalar(value, '')}\n")
    return "".join(out)


def compact(value: object, _indent: str = "") -> str:
    """Compact JSON in ASCII."""
    return _COMPACT(value)


def dump_json(value: object) -> str:
    """The JSON of a value in ASCII, indented by two spaces, keys in their order; it ends with a line end.

    The bytes are those of json.dumps(value, indent=2), whose indenting encoder is several times slower.
    """
    return f"{json_at(value, '')}\n"


def json_at(value: object, indent: str) -> str:
    """The same at a depth, without the line end."""
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    if isinstance(value, dict) and value:
        deeper = f"{indent}  "
        items = [f"{deeper}{encode_basestring_ascii(key)}: {json_at(item, deeper)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and value:
        deeper = f"{indent}  "
        return "[\n" + ",\n".join(f"{deeper}{json_at(item, deeper)}" for item in value) + f"\n{indent}]"
    return value.text(json_at, indent) if isinstance(value, Shared) else json.dumps(value)


def yaml_at(value: object, indent: str) -> str:
    """The YAML of a mapping or list that is not empty, at a depth; what opens its first line is left to the caller."""
    out: list[str] = []
    if isinstance(value, dict):
        _mapping(value, "", indent, out)
    else:
        _sequence(cast("Sequence[object]", value), "", indent, out)
    return "".join(out)


def _mapping(value: Mapping[str, object], lead: str, indent: str, out: list[str]) -> None:
    """Appends a mapping that is not empty; ``lead`` opens its first line, ``indent`` the others."""
    deeper = indent + "  "
    for key, item in value.items():
        name = _kept.get(key) or _key(key, indent)
        if type(item) is str:  # nearly always
            out.append(f"{lead}{name}: {_kept.get(item) or _string(item, indent)}\n")
        elif isinstance(item, dict) and item:
            out.append(f"{lead}{name}:\n")
            lasting = _lasting.get(id(item))
            if lasting is None:
                _mapping(item, deeper, deeper, out)
            else:
                out.append(deeper + lasting.text(yaml_at, deeper))
        elif isinstance(item, list | tuple) and item:
            out.append(f"{lead}{name}:\n")
            lasting = _lasting.get(id(item))
            if lasting is None:
                _sequence(item, indent, indent, out)
            else:
                out.append(indent + lasting.text(yaml_at, indent))
        elif isinstance(item, Shared):
            depth = indent if item.is_list else deeper
            out.append(f"{lead}{name}:\n{depth}{item.text(yaml_at, depth)}")
        else:
            out.append(f"{lead}{name}: {_scalar(item, indent)}\n")
        lead = indent


def _sequence(value: Sequence[object], lead: str, indent: str, out: list[str]) -> None:
    """Appends a list that is not empty; ``lead`` opens its first line, ``indent`` the others."""
    deeper = indent + "  "
    for item in value:
        if type(item) is str:
            out.append(f"{lead}- {_kept.get(item) or _string(item, indent)}\n")
        elif isinstance(item, dict) and item:
            lasting = _lasting.get(id(item))
            if lasting is None:
                _mapping(item, lead + "- ", deeper, out)
            else:
                out.append(f"{lead}- {lasting.text(yaml_at, deeper)}")
        elif isinstance(item, list | tuple) and item:
            _sequence(item, lead + "- ", deeper, out)
        elif isinstance(item, Shared):
            out.append(f"{lead}- {item.text(yaml_at, deeper)}")
        else:
            out.append(f"{lead}- {_scalar(item, indent)}\n")
        lead = indent


def _key(key: object, indent: str) -> str:
    """What stands before the colon; a key longer than readers look for gets a line of its own."""
    if not isinstance(key, str):
        _no_yaml("the key", key)
    text = inline(str.__str__(key))
    return text if len(text) <= _LONGEST_KEY else f"? {text}\n{indent}"


def _scalar(value: object, indent: str) -> str:
    """What stands after a colon or dash: a string, a number, a constant, or an empty collection."""
    if isinstance(value, str):
        return _string(str.__str__(value), indent)
    if value is None or value is True or value is False:
        return _CONSTANTS[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, dict | list | tuple):
        _no_yaml("the value", value)
    return "{}" if isinstance(value, dict) else "[]"


def _float(value: float) -> str:
    """A float for YAML 1.1, which wants a point in every one (1.0e+16), and for JSON."""
    text = float.__repr__(value)
    if text in {"inf", "-inf", "nan"}:
        return text.replace("inf", ".inf").replace("nan", ".nan")
    return text if "." in text else text.replace("e", ".0e")


def _string(text: str, indent: str) -> str:
    """A string as a literal block where it has several lines and the block is exact, else on one line."""
    if "\n" not in text or _NOT_LITERAL.search(text):
        return inline(text)
    head, body = ("|", text[:-1]) if text[-1] == "\n" else ("|-", text)
    lines = [f"{indent}  {line}" if line else "" for line in body.split("\n")]
    return "\n".join((head, *lines))


def inline(text: str) -> str:
    """A string on one line: plain where all readers agree that it is one, else in quotes."""
    found = _kept.get(text)
    if found is not None:
        return found
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        result = text
    elif ('"' in text or "\\" in text) and _SINGLE.fullmatch(text):
        result = f"'{text}'"
    else:
        result = quoted(text)
    _keep(text, result)
    return result


def inlines(texts: Sequence[str]) -> list[str] | None:
    """Each of these strings on one line; None where one of them has several lines, so is better written as a block."""
    found = [*map(_kept.get, texts)]
    if None in found:  # which has none of several lines
        return None if "\n" in "".join(texts) else [*map(inline, texts)]
    return cast("list[str]", found)


def _keep(text: str, result: str) -> None:
    """Remembers how a string is written, within bounds: memory must not grow with the number of clusters.

    Not one of several lines: as a key it is written in another way than as a value.
    """
    if len(text) <= _LONGEST_KEPT and "\n" not in text:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[text] = result


def quoted(text: str) -> str:
    """A string in double quotes, with an escape for what cannot stand for itself."""
    if _SURROGATE.search(text):
        message = f"no text, a surrogate stands alone: {text!a}"
        raise ValueError(message)
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    short = _ESCAPES.get(char)
    if short is not None:
        return short
    code = ord(char)
    if code <= 0xFF:  # noqa: PLR2004 - as many digits as the escape holds
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004


def _no_yaml(what: str, value: object) -> NoReturn:
    message = f"{what} has no YAML form here: {type(value).__name__} {value!r:.80}"
    raise TypeError(message)
