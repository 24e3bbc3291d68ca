"""Says in plain words what is wrong with a text that is not YAML; the parser's own words are made for its authors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.read.nodes import TOO_DEEP
from okgen.text import lines_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from yaml import ScalarEvent


_BLOCK_STYLES = ("|", ">")


class Slip(NamedTuple):
    """A place, counted from 1, what is wrong there, and the way out."""

    line: int
    column: int
    message: str
    help: str = ""
    code: str = "OKG101"


class _Fault(NamedTuple):
    """What the parser says: the place where it gave up and the one where what it was reading began, counted from 0."""

    problem: str
    line: int
    column: int
    start_line: int
    start_column: int
    lines: list[str]
    last: Any  # the scalar event before it, or None; PyYAML's types let its marks be None
    bracket: tuple[int, int] | None

    def text(self, line: int) -> str:
        """A line of the file."""
        return self.lines[line] if line < len(self.lines) else ""

    def indentation(self, line: int) -> int:
        """How many spaces a line starts with."""
        return len(self.text(line)) - len(self.text(line).lstrip())

    @property
    def character(self) -> str:
        """What the parser stumbled over."""
        return self.text(self.line)[self.column : self.column + 1]

    @property
    def opening(self) -> str:
        """The first character of what it was reading."""
        return self.text(self.start_line)[self.start_column : self.start_column + 1]

    @property
    def is_over(self) -> bool:
        """Whether the place is at the end of the file, or in a line that starts no deeper than the one of the start."""
        if not self.text(self.line).strip():
            return True
        return self.line > self.start_line and self.indentation(self.line) <= self.indentation(self.start_line)

    def here(self, message: str, help_text: str = "") -> Slip:
        """Where the parser gave up."""
        return Slip(self.line + 1, self.column + 1, message, help_text)

    def there(self, message: str, help_text: str = "") -> Slip:
        """Where what it was reading began."""
        return Slip(self.start_line + 1, self.start_column + 1, message, help_text)


def explain(error: Exception, text: str, last: ScalarEvent | None, bracket: tuple[int, int] | None) -> Slip:
    """What a parser's error means to whoever wrote ``text``.

    ``last`` is the last scalar before it, ``bracket`` the line and column, from 0, of the innermost one still open.
    """
    at = getattr(error, "problem_mark", None)
    if at is None:
        return Slip(1, 1, f"not YAML: {str(error).splitlines()[0]}")
    start = getattr(error, "context_mark", None) or at
    said = [str(part) for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part]
    fault = _Fault(", ".join(said), at.line, at.column, start.line, start.column, lines_of(text), last, bracket)
    for words, explanation in _EXPLANATIONS:
        if re.search(words, fault.problem):
            return explanation(fault)
    return fault.here(f"not YAML: {fault.problem}")


def _tab(fault: _Fault) -> Slip:
    return fault.here("a tab cannot indent YAML", "use spaces")


def _directive(fault: _Fault) -> Slip:
    return fault.there("a line that starts with % is a directive of YAML, and not one that is read here", "remove it")


def _start(fault: _Fault) -> Slip:
    if fault.character == "\t":
        return _tab(fault)
    return fault.here(f'a value cannot start with "{fault.character}"', "put the value in quotes")


def _colon(fault: _Fault) -> Slip:
    """A colon where no key can be."""
    last = fault.last
    if last is None or last.start_mark.line == fault.line:
        return fault.here('a value that holds ": " needs quotes', "put the whole value in quotes")
    # Lines that belong together only for YAML: the last value goes on in the line with the colon.
    line, column = last.start_mark.line, last.start_mark.column
    first = fault.text(line)[column:]
    glued = re.match(r"[^\s:]+:(?=\S)", first)
    if glued and not fault.text(line)[:column].strip("- "):
        return _glued(line, column, first)
    message = f"this line is indented further than the key in line {line + 1}, which has a value already"
    return Slip(
        fault.line + 1, fault.indentation(fault.line) + 1, message, "start it in the column of the keys it belongs to"
    )


def _glued(line: int, column: int, text: str) -> Slip:
    word = shown(text.strip())
    key, _, value = word.partition(":")
    return Slip(line + 1, column + len(key) + 1, f'no space after the colon in "{word}"', f'write "{key}: {value}"')


def _no_colon(fault: _Fault) -> Slip:
    """A line that is neither a key with its value nor a list item."""
    text = fault.text(fault.start_line)[fault.start_column :].strip()
    if re.match(r"[^\s:]+:\S", text):
        return _glued(fault.start_line, fault.start_column, text)
    if text.startswith("-"):
        return fault.there(f'no space after the dash in "{shown(text)}"', f'write "- {shown(text[1:])}"')
    return fault.there(f'no colon after "{shown(text)}"', "a key is followed by a colon and a space")


def _dash(fault: _Fault) -> Slip:
    return fault.here("a list cannot start in the line of its key", "start it in the next line, or write [a, b]")


def _question_mark(fault: _Fault) -> Slip:
    return fault.here('a value cannot start with "? "', "put the value in quotes")


def _unclosed_quote(fault: _Fault) -> Slip:
    return fault.there("this quote is never closed", f"add the closing {fault.opening}")


def _escape(fault: _Fault) -> Slip:
    text = fault.text(fault.line)
    column = text.rfind("\\", 0, fault.column + 1)
    written = re.match(r"\\(?:x\w{0,2}|u\w{0,4}|U\w{0,8}|.?)", text[column:])
    sequence = written.group() if written else ""
    message = f'"{sequence}" is not an escape sequence of YAML'
    return Slip(fault.line + 1, column + 1, message, r"write \\ for a backslash, or put the value in single quotes")


def _bracket(fault: _Fault) -> Slip:
    """A list or mapping in brackets goes on where it should be closed."""
    bracket, close = fault.opening, "]" if fault.opening == "[" else "}"
    if fault.is_over:
        return fault.there(f'this "{bracket}" is never closed', f'add the closing "{close}"')
    return fault.here(f'"," or "{close}" is missing here', f'the "{bracket}" stands in line {fault.start_line + 1}')


def _header(fault: _Fault) -> Slip:
    what = f'"{fault.opening}" starts a text in the lines below it'
    return fault.here(f"{what}, which cannot start here", "start it in the next line, or put the value in quotes")


def _no_value(fault: _Fault) -> Slip:
    if fault.bracket:
        inside = fault._replace(start_line=fault.bracket[0], start_column=fault.bracket[1])
        if inside.is_over:
            return _bracket(inside)
    if fault.character == "-":
        return fault.here('no value in brackets starts with "- "', "separate the items of a list in brackets by commas")
    what = "key" if fault.character == ":" else "value"
    return fault.here(
        f'a {what} is missing before "{fault.character}"', f"put the {what} in quotes if this is its start"
    )


def _block(fault: _Fault) -> Slip:
    """Something in a list or mapping that is none of its entries."""
    last = fault.last
    block = last is not None and last.style in _BLOCK_STYLES  # ends where the next line starts
    if last is not None and not block and last.end_mark.line == fault.line and last.end_mark.column <= fault.column:
        return _leftover(fault)
    before = fault.text(fault.line)[: fault.column]
    if before.strip():
        return fault.here("text after the end of the value", "put the whole value in quotes")
    if fault.column == fault.start_column and fault.opening == "-":
        return fault.here("a key between the items of a list", "start it with a dash, or where the list's key starts")
    return fault.here(
        "the indentation of this line fits none of the lines above",
        "keys of one mapping start in the same column, and so do the items of a list",
    )


def _leftover(fault: _Fault) -> Slip:
    if fault.character and fault.character in "]}":
        return fault.here(f'this "{fault.character}" closes nothing', "put the value in quotes if it belongs to it")
    start = fault.last.start_mark
    if start.line < fault.line and not fault.last.implicit[0]:
        message = f"the string that starts here ends in line {fault.line + 1}, with text behind it"
        return Slip(start.line + 1, start.column + 1, message, "is its closing quote missing?")
    return fault.here("text after the end of the value", "put the whole value in quotes")


def _after(fault: _Fault) -> Slip:
    if fault.character and fault.character in "]}":
        return fault.here(f'this "{fault.character}" closes nothing', "remove it")
    return fault.here("text after the end of the document", "keys of one mapping start in the same column")


def _name(fault: _Fault) -> Slip:
    what = "anchor" if fault.opening == "&" else "alias"
    return fault.there(f'"{fault.opening}" starts an {what}, but no name follows', "put the value in quotes")


def _tag(fault: _Fault) -> Slip:
    written = fault.text(fault.start_line)[fault.start_column :].split()
    word = shown(written[0]) if written else "!"
    return fault.there(f'tag "{word}": only plain values are read here', "remove the tag")._replace(code="OKG110")


def _nesting(fault: _Fault) -> Slip:
    """Libyaml looks a thousand brackets ahead, and gives up before the levels are counted."""
    return fault.here(TOO_DEEP)._replace(code="OKG113")


# What libyaml says, or PyYAML's own parser, and who explains it; the first that matches.
_EXPLANATIONS: tuple[tuple[str, Callable[[_Fault], Slip]], ...] = (
    ("tab character", _tab),
    ("maximum nesting depth", _nesting),
    ("directive|incompatible YAML document", _directive),
    ("cannot start any token", _start),
    ("mapping values are not allowed", _colon),
    ("could not find expected ':'", _no_colon),
    ("sequence entries are not allowed", _dash),
    ("mapping keys are not allowed", _question_mark),
    ("quoted scalar, found unexpected (?:end|document)", _unclosed_quote),
    ("quoted scalar, ", _escape),
    ("scanning a block scalar", _header),
    ("expected ',' or", _bracket),
    ("expected (?:the )?node content", _no_value),
    ("expected key|expected '-' indicator|expected <block end>", _block),
    ("expected '?<document start>", _after),
    ("scanning an? (?:anchor|alias)", _name),
    ("undefined tag handle|scanning a tag|parsing a tag", _tag),
)
