"""Problems as people and programs see them."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from okgen import report
from okgen.problem import Problem, Related
from okgen.write.drift import Drift

FILE = "shop/cluster.yaml"
TEXT = "dns:\r\n  zones:\r\n    - {name: shop.example.com, ide: Z1}\r\n"
UNKNOWN = Problem(FILE, 3, 32, "OKG201", "error", 'unknown key "ide"', "dns.zones[0].ide", 'did you mean "id"?')
ARCHIVED = Problem(FILE, 1, 1, "OKG402", "warning", "the project is archived", "dns")
BARE = Problem("zoo.yaml", 12, 3, "OKG101", "error", "not YAML")
DRIFT = [
    Drift("output/shop/README.md", "changed", "@@ -1 +1 @@\n-old\x1b\n+new\n"),
    Drift("output/shop/\x1b.yaml", "missing"),
]
DIFF = "  @@ -1 +1 @@\n  -old\\x1b\n  +new\n"


def render(*problems: Problem, form: str = "full", text: str = TEXT, color: bool = False) -> str:
    return report.render(problems, form, {FILE: text}, color=color)


def test_full() -> None:
    assert render(BARE, UNKNOWN, ARCHIVED) == (
        "OKG402 warning: the project is archived\n"
        " --> shop/cluster.yaml:1:1\n"
        "  |\n"
        "1 | dns:\n"
        "  | ^\n"
        "  = path: dns\n"
        "\n"
        'OKG201 unknown key "ide"\n'
        " --> shop/cluster.yaml:3:32\n"
        "  |\n"
        "3 |     - {name: shop.example.com, ide: Z1}\n"
        "  |                                ^\n"
        "  = path: dns.zones[0].ide\n"
        '  = help: did you mean "id"?\n'
        "\n"
        "OKG101 not YAML\n"
        "  --> zoo.yaml:12:3\n"
    )


def test_concise() -> None:
    assert render(UNKNOWN, BARE, ARCHIVED, form="concise") == (
        "shop/cluster.yaml:1:1: OKG402 warning: the project is archived\n"
        'shop/cluster.yaml:3:32: OKG201 unknown key "ide"\n'
        "zoo.yaml:12:3: OKG101 not YAML\n"
    )


def test_json() -> None:
    found = json.loads(report.render([UNKNOWN, ARCHIVED], "json", {}, color=True, drift=DRIFT))

    assert found == {
        "version": 1,
        "problems": [
            {
                "code": "OKG402",
                "severity": "warning",
                "file": FILE,
                "line": 1,
                "column": 1,
                "path": "dns",
                "message": "the project is archived",
                "help": "",
                "related": [],
            },
            {
                "code": "OKG201",
                "severity": "error",
                "file": FILE,
                "line": 3,
                "column": 32,
                "path": "dns.zones[0].ide",
                "message": 'unknown key "ide"',
                "help": 'did you mean "id"?',
                "related": [],
            },
        ],
        "drift": [
            {"file": "output/shop/README.md", "kind": "changed", "diff": DRIFT[0].diff},
            {"file": "output/shop/\x1b.yaml", "kind": "missing"},
        ],
    }


TWICE = UNKNOWN._replace(related=(Related("zoo/\x1b.yaml", 7, 5, "the same id"), Related("a.yaml", 1, 2, "and here")))


def test_other_places_in_full() -> None:
    lines = render(TWICE).splitlines()

    assert lines[-3:] == [
        "  = see: zoo/\\x1b.yaml:7:5: the same id",
        "  = see: a.yaml:1:2: and here",
        '  = help: did you mean "id"?',
    ]


def test_other_places_in_one_line() -> None:
    assert render(TWICE, form="concise") == (
        'shop/cluster.yaml:3:32: OKG201 unknown key "ide" (zoo/\\x1b.yaml:7:5: the same id; a.yaml:1:2: and here)\n'
    )


def test_other_places_in_json() -> None:
    found = json.loads(render(TWICE, form="json"))["problems"][0]["related"]

    assert found[1] == {"file": "a.yaml", "line": 1, "column": 2, "label": "and here"}


@pytest.mark.parametrize(("form", "said"), [("full", ""), ("concise", "")])
def test_nothing_to_say(form: str, said: str) -> None:
    assert report.render([], form, {}, color=True) == said


def test_nothing_to_say_in_json() -> None:
    assert json.loads(report.render([], "json", {}, color=False)) == {"version": 1, "problems": [], "drift": []}


@pytest.mark.parametrize(("form", "diff"), [("full", DIFF), ("concise", "")])
def test_drift(form: str, diff: str) -> None:
    lines = f"output/shop/README.md: changed\n{diff}output/shop/\\x1b.yaml: missing\n"

    assert report.render([], form, {}, color=False, drift=DRIFT) == lines
    assert report.render([BARE], form, {}, color=False, drift=DRIFT).endswith(lines)


def test_drift_stands_apart_from_problems() -> None:
    said = report.render([BARE], "full", {}, color=False, drift=DRIFT[:1])

    assert said == "OKG101 not YAML\n  --> zoo.yaml:12:3\n\noutput/shop/README.md: changed\n" + DIFF


def test_each_problem_once_and_in_order_of_place() -> None:
    places = [(2, 1), (10, 1), (2, 5), (1, 9), (2, 1)]
    problems = [Problem(FILE, line, column, "OKG201", "error", "a") for line, column in places]

    said = render(*problems, form="concise").splitlines()

    assert [line.split(":")[1:3] for line in said] == [["1", "9"], ["2", "1"], ["2", "5"], ["10", "1"]]


def excerpt(text: str, column: int) -> tuple[str, str]:
    """The excerpt of a line and the line with the caret below it, without their margins."""
    lines = render(Problem(FILE, 1, column, "OKG201", "error", "a"), text=text).splitlines()
    assert lines[2] == "  |"
    return lines[3].removeprefix("1 |").removeprefix(" "), lines[4].removeprefix("  | ")


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("a: b", 4, "a: b", "   ^"),
        ("a:", 3, "a:", "  ^"),
        ("a:", 99, "a:", "  ^"),
        ("\ta:\tb", 5, "    a:    b", "          ^"),
        ("a: \x1b[31mb", 4, "a: \\x1b[31mb", "   ^"),
        ("a: \x1b[31mb", 5, "a: \\x1b[31mb", "       ^"),
        ("a\u202e: b", 5, "a\\u202e: b", "         ^"),
        ("\u00a0a: b", 2, "\\xa0a: b", "    ^"),
        ("漢字: \uff42 b", 7, "漢字: \uff42 b", "         ^"),
        ("e\u0301: b", 5, "e\u0301: b", "   ^"),
        ("😀: b", 4, "😀: b", "    ^"),
        ("❤\ufe0f: b", 5, "❤\ufe0f: b", "   ^"),
        ("x" * 100, 99, "x" * 100, " " * 98 + "^"),
        ("x" * 101, 1, "x" * 100 + "...", "^"),
        ("x" * 101, 61, "x" * 100 + "...", " " * 60 + "^"),
        ("x" * 101, 62, "..." + "x" * 100, " " * 63 + "^"),
        ("x" * 500 + "y" + "z" * 500, 501, "..." + "x" * 60 + "y" + "z" * 39 + "...", " " * 63 + "^"),
        ("漢" * 500 + "y", 501, "..." + "漢" * 60 + "y", " " * 123 + "^"),
        ("", 1, "", "^"),
    ],
)
def test_excerpt(line: str, column: int, shown: str, caret: str) -> None:
    assert excerpt(f"{line}\n", column) == (shown, caret)


def test_no_excerpt_beyond_the_end() -> None:
    assert render(Problem(FILE, 9, 1, "OKG101", "error", "a")) == "OKG101 a\n --> shop/cluster.yaml:9:1\n"


def test_margin_fits_the_line_number() -> None:
    said = render(Problem(FILE, 100, 2, "OKG101", "error", "a", "b"), text="\n" * 99 + "cd")

    assert said.splitlines()[1:] == ["   --> shop/cluster.yaml:100:2", "    |", "100 | cd", "    |  ^", "    = path: b"]


def test_help_of_several_lines() -> None:
    said = render(BARE._replace(help="write\n\n  a: b\x1b"))

    assert said.splitlines()[2:] == ["   = help: write", "", "             a: b\\x1b"]


HOSTILE = "\x1b]0;owned\x07\r\n\u202e\u2066\x9b\x7f\udcff\U000e0001"


@pytest.mark.parametrize("form", report.FORMATS)
def test_nothing_of_the_input_steers_a_terminal(form: str) -> None:
    other = Related(HOSTILE, 1, 2, HOSTILE)
    problem = Problem(HOSTILE, 1, 3, "OKG201", "error", HOSTILE, HOSTILE, HOSTILE, (other,))

    said = report.render([problem], form, {HOSTILE: HOSTILE}, color=False, drift=[Drift(HOSTILE, "changed", HOSTILE)])

    assert said.replace("\n", "").isprintable()
    assert any(
        escaped in said for escaped in ("\\x1b]0;owned\\x07", "\\u001b]0;owned\\u0007", "\\\\x1b]0;owned\\\\x07")
    )
    tame = report.render(
        [problem._replace(file="a", message="b", path="c", help="d\n", related=(Related("a", 1, 2, "e"),))],
        form,
        {"a": "f\r\n"},
        color=False,
        drift=[Drift("g", "changed", "h\r\ni")],
    )
    assert len(said.splitlines()) == len(tame.splitlines())


def test_a_message_is_one_line() -> None:
    said = render(BARE._replace(message="a\nother.yaml:1:1: OKG999 b"), form="concise")

    assert said == "zoo.yaml:12:3: OKG101 a\\nother.yaml:1:1: OKG999 b\n"


def test_a_diff_has_the_colors_of_git() -> None:
    said = report.render([], "full", {}, color=True, drift=DRIFT)

    assert "  \x1b[36m@@ -1 +1 @@\x1b[0m\n  \x1b[31m-old\\x1b\x1b[0m\n  \x1b[32m+new\x1b[0m\n" in said


def test_color() -> None:
    said = render(UNKNOWN, ARCHIVED, color=True)

    assert "\x1b[1;31mOKG201\x1b[0m" in said
    assert "\x1b[1;33mOKG402\x1b[0m warning:" in said
    plain = render(UNKNOWN, ARCHIVED)
    for code in ("[0m", "[1m", "[1;31m", "[1;33m", "[1;34m"):
        said = said.replace(f"\x1b{code}", "")
    assert said == plain


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("flag", "terminal", "environment", "wanted"),
    [
        ("auto", True, {}, True),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {}, False),
    ],
)
def test_wants_color(
    flag: str, terminal: bool, environment: dict[str, str], wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert report.wants_color(flag, Terminal() if terminal else io.StringIO()) is wanted


TEXTS = st.text(max_size=200)
PROBLEMS = st.builds(
    Problem,
    st.sampled_from([FILE, "other.yaml"]),
    st.integers(1, 9),
    st.integers(1, 300),
    st.just("OKG201"),
    st.sampled_from(["error", "warning"]),
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(st.builds(Related, st.sampled_from([FILE, "c.yaml"]), st.integers(1, 9), st.integers(1, 99), TEXTS)).map(
        tuple
    ),
)


@given(st.lists(PROBLEMS, max_size=4), TEXTS, st.sampled_from(report.FORMATS))
def test_anything_is_rendered_without_harm(problems: list[Problem], text: str, form: str) -> None:
    said = report.render(problems, form, {FILE: text}, color=False)

    assert said.replace("\n", "").isprintable()


@pytest.mark.parametrize(("value", "wanted"), [("true", "github"), ("", "full"), (None, "full")])
def test_default_format(value: str | None, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    if value is not None:
        monkeypatch.setenv("GITHUB_ACTIONS", value)

    assert report.default_format() == wanted


WIDTHS = {"a": 1, "é": 1, " ": 1, "漢": 2, "😀": 2, "\u0301": 0, "\t": 4, "\x1b": 4, "\u202e": 6}


@given(st.text(list(WIDTHS), min_size=1, max_size=100), st.data())
def test_the_caret_is_below_its_character(line: str, data: st.DataObject) -> None:
    column = data.draw(st.integers(1, len(line) + 1))

    _, below = excerpt(f"{line}\n", column)

    assert below == " " * sum(WIDTHS[each] for each in line[: column - 1]) + "^"
