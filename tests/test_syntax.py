"""Texts that are not YAML: what is wrong is said in plain words, at the place where the mistake begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml

from okgen.read import source, syntax

if TYPE_CHECKING:
    from okgen.problem import Problem


class Said(NamedTuple):
    """Where a problem is, and how its message starts."""

    line: int
    column: int
    message: str
    code: str = "OKG101"


TAB = "a tab cannot indent YAML"
QUOTE = 'a value that holds ": " needs quotes'
INDENTATION = "the indentation of this line fits none"
BEHIND = "text after the end of the value"
BEYOND = "text after the end of the document"
DEEPER = "this line is indented further than the key in line "
DIRECTIVE = "a line that starts with %"
HEADER = "starts a text in the lines below it"

CASES = {
    # tabs
    "\ta: b\n": Said(1, 1, TAB),
    "a:\n\tb: c\n": Said(2, 1, TAB),
    "a:\n  b: c\n\td: e\n": Said(3, 1, TAB),
    "a: |\n\tb\n": Said(2, 1, TAB),
    "a: b\n\n\tc: d\n": Said(3, 1, TAB),
    # colons
    "a: b: c\n": Said(1, 5, QUOTE),
    'a: "b": c\n': Said(1, 7, QUOTE),
    "a: http://b: c\n": Said(1, 12, QUOTE),
    "a:b\nc: d\n": Said(1, 2, 'no space after the colon in "a:b"'),
    "a:\n  b:c\n  d: e\n": Said(2, 4, 'no space after the colon in "b:c"'),
    "a:\n- b:c\n  d: e\n": Said(2, 4, 'no space after the colon in "b:c"'),
    "a: b\nc:d\ne: f\n": Said(2, 2, 'no space after the colon in "c:d"'),
    "a: b\nc\nd: e\n": Said(2, 1, 'no colon after "c"'),
    "a: b\nc": Said(2, 1, 'no colon after "c"'),
    "- a\n-b\n": Said(2, 1, 'no space after the dash in "-b"'),
    # indentation
    "a: b\n  c: d\n": Said(2, 3, f"{DEEPER}1,"),
    "a: b:c\n  d: e\n": Said(2, 3, f"{DEEPER}1,"),
    "a: http://b\n  c: d\n": Said(2, 3, f"{DEEPER}1,"),
    "a:\n- b\n  c: d\n": Said(3, 3, f"{DEEPER}2,"),
    "a:\n  b: c\n d: e\n": Said(3, 2, INDENTATION),
    "a:\n    b: c\n  d: e\n": Said(3, 3, INDENTATION),
    "a: [b]\n  c: d\n": Said(2, 3, INDENTATION),
    "a: 'b' # c\n  d\n": Said(2, 3, INDENTATION),
    "a: |9\n  b\n": Said(2, 3, INDENTATION),
    "- a: b\n c: d\n": Said(2, 2, INDENTATION),
    "a:\n  - b\n  c: d\n": Said(3, 3, "a key between the items of a list"),
    "- a\nb: c\n": Said(2, 1, "a key between the items of a list"),
    "  a: b\nc: d\n": Said(2, 1, BEYOND),
    # lists and mappings
    "a: - b\n": Said(1, 4, "a list cannot start in the line of its key"),
    "a: [- b]\n": Said(1, 5, 'no value in brackets starts with "- "'),
    "a: ? b\n": Said(1, 4, 'a value cannot start with "? "'),
    "a: [b, c\nd: e\n": Said(1, 4, 'this "[" is never closed'),
    "a: [b, c\n\nd: e\n": Said(1, 4, 'this "[" is never closed'),
    "a: {b: c\nd: e\n": Said(1, 4, 'this "{" is never closed'),
    "a: {b: c\n": Said(1, 4, 'this "{" is never closed'),
    "a:\n  - [b,\n  - c\n": Said(2, 5, 'this "[" is never closed'),
    'a: "b"\n  - c\n': Said(2, 3, INDENTATION),
    "a: [\n  b,\n": Said(1, 4, 'this "[" is never closed'),
    "a: [[b],\n": Said(1, 4, 'this "[" is never closed'),
    "a: [b}\n": Said(1, 6, '"," or "]" is missing here'),
    "a: {b: c]\n": Said(1, 9, '"," or "}" is missing here'),
    "a: [\n  b\n  c: d\n]\n": Said(3, 4, '"," or "]" is missing here'),
    "a: [b, }\n": Said(1, 8, 'a value is missing before "}"'),
    "a: {b: c, : d}\n": Said(1, 11, 'a key is missing before ":"'),
    "a: ,\n": Said(1, 4, 'a value is missing before ","'),
    "a: [b]]\n": Said(1, 7, 'this "]" closes nothing'),
    "{a: b}}\n": Said(1, 7, 'this "}" closes nothing'),
    "a: b\n...\nc: d\n": Said(3, 1, BEYOND),
    "[a]\n[b]\n": Said(2, 1, BEYOND),
    "a: [b] c\n": Said(1, 8, BEHIND),
    "a: [ ] c\n": Said(1, 8, BEHIND),
    "a: [b\n  ] c\n": Said(2, 5, BEHIND),
    # strings
    "a: 'b\nc: d\n": Said(1, 4, "this quote is never closed"),
    'a: ["b]\n': Said(1, 5, "this quote is never closed"),
    "a: 'b\n---\nc: d'\n": Said(1, 4, "this quote is never closed"),
    "a: 'b\nc: 'd'\n": Said(1, 4, "the string that starts here ends in line 2"),
    'a: "b" c\n': Said(1, 8, BEHIND),
    "a: 'it's'\n": Said(1, 8, BEHIND),
    "'a'b: c\n": Said(1, 4, BEHIND),
    'a: "\\q"\n': Said(1, 5, '"\\q" is not an escape sequence'),
    'a: "b\\xZZ"\n': Said(1, 6, '"\\xZZ" is not an escape sequence'),
    'a: "b\\u00"\n': Said(1, 6, '"\\u00" is not an escape sequence'),
    'a: "\\ud800"\n': Said(1, 5, '"\\ud800" is not an escape sequence'),
    'a: "\\UFFFFFFFF"\n': Said(1, 5, '"\\UFFFFFFFF" is not an escape sequence'),
    "a: @b\n": Said(1, 4, 'a value cannot start with "@"'),
    "a: `b`\n": Said(1, 4, 'a value cannot start with "`"'),
    "a: %b\n": Said(1, 4, 'a value cannot start with "%"'),
    "a: [|b]\n": Said(1, 5, 'a value cannot start with "|"'),
    "a: >b\n  c\n": Said(1, 5, f'">" {HEADER}'),
    "a: |0\n b\n": Said(1, 5, f'"|" {HEADER}'),
    # anchors, aliases, tags, directives
    "a: *\n": Said(1, 4, '"*" starts an alias'),
    "a: *.yaml\n": Said(1, 4, '"*" starts an alias'),
    "a: & b\n": Said(1, 4, '"&" starts an anchor'),
    "a: &b *b\n": Said(1, 7, BEHIND),
    "a: !b!c d\n": Said(1, 4, 'tag "!b!c"', "OKG110"),
    "a: !<b c\n": Said(1, 4, 'tag "!<b"', "OKG110"),
    "a: !%zz\n": Said(1, 4, 'tag "!%zz"', "OKG110"),
    "%YAML 2.0\n---\na: b\n": Said(1, 1, DIRECTIVE),
    "%FOO b\n---\na: b\n": Said(1, 1, DIRECTIVE),
    "# b\n%\n": Said(2, 1, DIRECTIVE),
}
# PyYAML's own parser takes or places these otherwise; it serves where libyaml is missing.
OTHERWISE = {
    "%FOO b\n---\na: b\n",
    'a: "\\ud800"\n',
    'a: "\\UFFFFFFFF"\n',
}


def only_problem(text: str) -> Problem:
    with pytest.raises(source.Misread) as caught:
        source.parse(text.encode(), "cluster.yaml")
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


def check(text: str, said: Said) -> None:
    problem = only_problem(text)

    assert (problem.line, problem.column, problem.code) == (said.line, said.column, said.code)
    assert problem.message.startswith(said.message)
    assert problem.help


@pytest.mark.parametrize(("text", "said"), CASES.items())
def test_said(text: str, said: Said) -> None:
    check(text, said)


@pytest.mark.parametrize(("text", "said"), [(text, said) for text, said in CASES.items() if text not in OTHERWISE])
def test_said_without_libyaml(text: str, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)

    check(text, said)


@pytest.mark.parametrize("escape", ["\\ud800", "\\U00110000", "\\UFFFFFFFF"])
def test_escapes_of_no_character_without_libyaml(escape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", False)

    assert only_problem(f'a: "{escape}"').message.startswith("not YAML: ")


def test_words_of_a_parser_that_nobody_foresaw() -> None:
    mark: Any = yaml.Mark("", 5, 1, 3, "", 0)
    error = yaml.MarkedYAMLError("while dreaming", None, "found a sheep", mark)

    slip = syntax.explain(error, "a: b\nc: d\n", None, None)

    assert slip == (2, 4, "not YAML: while dreaming, found a sheep", "", "OKG101")


def test_a_thousand_brackets() -> None:
    problem = only_problem("a: " + "[" * 2000)

    assert (problem.code, problem.message) == ("OKG113", "more than 100 levels of lists and mappings in one another")


def test_lines_end_as_yaml_says() -> None:
    assert only_problem("a: b\r\nc: d\re: 'f\n")[1:3] == (3, 4)


def test_the_place_counts_characters() -> None:
    assert only_problem("\ufeffä: 漢😀 'b': c\n")[1:3] == (1, 10)
