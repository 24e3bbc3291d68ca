"""Fields in words: paths as people write them, values in a line, arguments by their flag."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from okgen.diff.facts import HIDDEN
from okgen.diff.nouns import Entry, without
from okgen.problem import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from okgen.diff.nouns import Change, Field, Path

_WIDTH = 110
_MOST_LINES = 12
_MOST_COMPARED = 20_000  # characters of texts that are no data
ARROW = "→"


def path_of(path: Path) -> str:
    """A path as text: ``spec.template.spec.containers[external-dns].args``."""
    text = ""
    for step in path:
        if isinstance(step, str):
            text += f".{step}" if _is_plain(step) else f'["{step}"]'
        else:
            text += str(step) if isinstance(step, Entry) else dotted((step,))
    return text.removeprefix(".")


def _is_plain(key: str) -> bool:
    return key.replace("-", "").replace("_", "").isalnum()


def value_of(value: Any) -> str:  # noqa: ANN401 - any plain data
    """A value in one line, cut where it is long."""
    if isinstance(value, str) and value and value.strip() == value and "\n" not in value:
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"


def lines_of(change: Change, fields: Sequence[Field], *, below: int = 0) -> list[str]:
    """What differs, a line each; ``below``: so many steps of each path go without saying."""
    found = []
    pairs = _flag_pairs(fields)
    for old, new in pairs:
        flag, _, before = _argument(old).partition("=")
        found.append(f"~ {flag}: {before} {ARROW} {_argument(new).partition('=')[2]}")
    hidden = HIDDEN.get((change.unit.group, change.unit.kind), ())
    for field in without(fields, (each for pair in pairs for each in pair)):
        found += _line(field, below, secret=bool(field.path) and field.path[0] in hidden)
    return found


def _line(field: Field, below: int, *, secret: bool) -> list[str]:
    place = path_of(field.path[below:])
    if field.op == "order":
        return [f"~ {place}: in another order"]
    old, new = ("(hidden)", "(hidden)") if secret else (value_of(field.old), value_of(field.new))
    if field.op == "replace":
        if isinstance(field.old, str) and isinstance(field.new, str) and "\n" in field.old + field.new and not secret:
            return [f"~ {place}:".replace("~ :", "~ text:"), *text_lines(field.old, field.new)]
        return [f"~ {place}: {old} {ARROW} {new}"]
    sign, shown = ("+", new) if field.op == "add" else ("-", old)
    last = field.path[-1]
    if isinstance(last, Entry) and len(last.pairs) == 1 and last.pairs[0][0] == "value":
        return [f"{sign} {path_of(field.path[below:-1])}: {shown}"]
    return [f"{sign} {place}: {shown}"]


def text_lines(old: str, new: str) -> list[str]:
    """The lines that differ between two texts, at most a dozen."""
    found = [
        f"  {line[0]} {line[1:]}"[: _WIDTH + 4]
        for line in difflib.unified_diff(_lines(old), _lines(new), lineterm="", n=0)
        if line[0] in "+-" and not line.startswith(("+++", "---"))
    ]
    return (
        [*found[:_MOST_LINES], f"  … and {len(found) - _MOST_LINES} more lines"] if len(found) > _MOST_LINES else found
    )


def _lines(text: str) -> list[str]:
    """The first lines, cut where they are long: what is compared may be of any size."""
    return [line[:_WIDTH] for line in text[:_MOST_COMPARED].splitlines()]


def _argument(field: Field) -> str:
    return str(field.old if field.op == "remove" else field.new)


def _flag_pairs(fields: Iterable[Field]) -> list[tuple[Field, Field]]:
    """What is one flag with another value: an argument that goes and one that comes, the only ones with the flag."""
    sides: dict[tuple[Path, str], tuple[list[Field], list[Field]]] = {}
    for field in fields:
        if field.op in ("add", "remove") and field.path and isinstance(field.path[-1], Entry):
            text = _argument(field)
            if text.startswith("--") and "=" in text:
                both = sides.setdefault((field.path[:-1], text.partition("=")[0]), ([], []))
                both[field.op == "add"].append(field)
    return [(gone[0], came[0]) for gone, came in sides.values() if len(gone) == len(came) == 1]
