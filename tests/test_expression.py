"""The expression language: what is in it, what is refused, and that nothing of Python's own is in reach."""

from __future__ import annotations

from typing import Any

import pytest

from okgen.addons import expression
from okgen.addons.expression import ExpressionError
from okgen.addons.template import named, new_scope

SCOPE = named({"a": {"b": {"c": 3}, "list": [1, 2, 3]}, "text": "Hello", "none": None})

GOOD = [
    ("a.b.c + 1", 4),
    ('a["b"].c', 3),
    ("a.list[1:]", [2, 3]),
    ("[x * 2 for x in a.list if x != 2]", [2, 6]),
    ("f'{text}-{a.b.c}'", "Hello-3"),
    ("'x' if a.b.c == 3 and not none else 'y'", "x"),
    ("text.lower().removeprefix('he')", "llo"),
    ("','.join(str(x) for x in a.list)", "1,2,3"),
    ("{'k': a.b.c}", {"k": 3}),
    ("none is None or -1 in a.list", True),
    ("sorted([3, 1]) + [len(text)]", [1, 3, 5]),
    ("[*a.list, 4]", [1, 2, 3, 4]),
    ("json({'b': [1]})", '{"b":[1]}'),
    ("any(x > 2 for x in a.list)", True),
    ("digest('123456789012')", "2a33349e"),
]


def evaluate(text: str) -> Any:
    expression.check(text)
    return eval(text, new_scope(SCOPE))  # noqa: S307 - the language under test


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_evaluates(text: str, expected: Any) -> None:
    found = evaluate(text)
    assert found == expected


BAD = [
    "",
    "1 +",
    "lambda: 1",
    "__import__('os')",
    "_text(1)",
    "text.__class__",
    "a.keys",
    "a.get('b')",
    "text.format(1)",
    "(lambda x: x)(1)",
    "a.list[0](1)",
    "x := 1",
    "await x",
    "{x for x in a}",
    "1 ** 9",
    "1 << 9",
    "a; b",
    "(" * 2000,
]


@pytest.mark.parametrize("text", BAD)
def test_refuses(text: str) -> None:
    with pytest.raises(ExpressionError):
        expression.check(text)


def test_nothing_of_python_is_in_scope() -> None:
    with pytest.raises(NameError):
        evaluate("open('x')")
