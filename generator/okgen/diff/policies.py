"""What a change of IAM documents allows more, or less: statement by statement, wherever it stands."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.diff import facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from okgen.diff.nouns import Unit

Statement = dict[str, Any]
# Elements with lists of what a statement is about, and those that say what it is not about.
_LISTS = (("Action", "NotAction"), ("Resource", "NotResource"), ("Principal", "NotPrincipal"))
_PART = re.compile(r"Part[0-9]+\Z")  # of a statement that was cut to fit
_MOST_PAIRS = 200_000
_LONGEST = 400


class Verdict(NamedTuple):
    """Lines on what is allowed in addition, and on what is not any more."""

    wider: list[str]
    narrower: list[str]


def of(old: Iterable[Unit], new: Iterable[Unit]) -> Verdict:
    """The rights that these documents together give and take: all of an add-on that differ."""
    before, after = _statements(old), _statements(new)
    verdict = Verdict([], [])
    for one, other in _pairs(before, after):
        _compare(one, other, verdict)
    return verdict


def _statements(documents: Iterable[Unit]) -> dict[str, Statement]:
    """The statements by their Sid, or else their actions; pieces of one that was cut are put together."""
    found: dict[str, Statement] = {}
    for document in documents:
        statements = document.value.get("Statement")
        for each in statements if isinstance(statements, list) else [statements]:
            if not isinstance(each, dict):
                continue
            sid = _PART.sub("", str(each.get("Sid", "")))
            mark = sid or _text([each.get("Effect"), _strings(each.get("Action"))])
            known = found.get(mark)
            if known is None:
                found[mark] = each
            elif sid and all(
                _text(known.get(key)) == _text(each.get(key)) for key in ("Effect", "Condition", "Principal")
            ):
                found[mark] = {
                    **known,
                    **{key: _union(known.get(key), each.get(key)) for key in ("Action", "Resource")},
                }
            else:
                found[f"{mark} {len(found)}"] = each
    return found


def _union(one: object, other: object) -> list[str]:
    return list(dict.fromkeys((*_strings(one), *_strings(other))))


def _pairs(
    before: dict[str, Statement], after: dict[str, Statement]
) -> Iterator[tuple[Statement | None, Statement | None]]:
    for mark, statement in before.items():
        yield statement, after.get(mark)
    for mark, statement in after.items():
        if mark not in before:
            yield None, statement


def _compare(old: Statement | None, new: Statement | None, verdict: Verdict) -> None:
    if old is not None and new is not None and old.get("Effect") != new.get("Effect"):
        _compare(old, None, verdict)
        _compare(None, new, verdict)
        return
    whole = new or old or {}
    denies = whole.get("Effect") == "Deny"
    more, fewer = (verdict.narrower, verdict.wider) if denies else (verdict.wider, verdict.narrower)
    name = f"{whole['Sid']}: " if isinstance(whole.get("Sid"), str) else ""
    if denies:
        name = f"{name}Deny "
    if old is None or new is None:
        (more if old is None else fewer).append(f"{'+' if old is None else '-'} {name}{_summary(whole)}")
        return
    for about, but in _LISTS:
        _compare_lists(name, about, (old.get(about), new.get(about)), (more, fewer))
        _compare_lists(name, but, (old.get(but), new.get(but)), (fewer, more))
    _compare_conditions(name, old.get("Condition"), new.get("Condition"), (more, fewer))


def _summary(statement: Statement) -> str:
    parts = [
        f"{'' if key in ('Action', 'Resource') else key + ' '}{', '.join(_strings(statement[key]))}"
        for key in ("Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal")
        if key in statement
    ]
    text = " on ".join(parts)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return shown + (" under conditions" if statement.get("Condition") else "")


def _compare_lists(name: str, element: str, sides: tuple[Any, Any], into: tuple[list[str], list[str]]) -> None:
    old, new = (_strings(side) for side in sides)
    into[0].extend(f"+ {name}{_word(element)} {each}" for each in _unmatched(new, old))
    into[1].extend(f"- {name}{_word(element)} {each}" for each in _unmatched(old, new))


def _word(element: str) -> str:
    return element.lower() if not element.startswith("Not") else f"all but {element[3:].lower()}"


def _unmatched(values: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The values that no pattern takes in."""
    if len(values) * len(patterns) > _MOST_PAIRS:  # more than can be held against one another
        known = set(patterns)
        return [each for each in values if each not in known]
    return [each for each in values if not _matched(each, patterns)]


def _matched(value: str, patterns: Sequence[str]) -> bool:
    """Whether a pattern takes in the value: "*" and "?" are IAM's wildcards, actions know no case."""
    return any(
        value == pattern or (("*" in pattern or "?" in pattern) and fnmatchcase(value, pattern.replace("[", "[[]")))
        for pattern in patterns
    )


def _compare_conditions(name: str, old: Any, new: Any, into: tuple[list[str], list[str]]) -> None:  # noqa: ANN401
    more, fewer = into
    before, after = _conditions(old), _conditions(new)
    for where, values in before.items():
        if where not in after:
            more.append(f"- {name}condition {' '.join(where)}: {', '.join(values)}")
        elif values != after[where]:
            _compare_values(name, where, (values, after[where]), into)
    for where, values in after.items():
        if where not in before:
            fewer.append(f"+ {name}condition {' '.join(where)}: {', '.join(values)}")


def _compare_values(
    name: str, where: tuple[str, str], sides: tuple[list[str], list[str]], into: tuple[list[str], list[str]]
) -> None:
    """Values of one condition: more of them let more through, unless the operator is negated or they are bounds."""
    old, new = sides
    more, fewer = into[::-1] if facts.NEGATED in where[0] else into
    unordered = any(word in where[0] for word in facts.UNORDERED_OPERATORS)
    lines = [(f"+ {name}condition {' '.join(where)}: {each}", more) for each in _unmatched(new, old)]
    lines += [(f"- {name}condition {' '.join(where)}: {each}", fewer) for each in _unmatched(old, new)]
    for line, side in lines:
        (into[0] if unordered else side).append(line)


def _conditions(value: Any) -> dict[tuple[str, str], list[str]]:  # noqa: ANN401
    found = {}
    for operator, keys in value.items() if isinstance(value, dict) else ():
        for key, values in keys.items() if isinstance(keys, dict) else ():
            found[str(operator), str(key)] = _strings(values)
    return found


def _strings(value: Any) -> list[str]:  # noqa: ANN401
    """The strings of an element that may be one, a list, or a mapping of lists, as principals are."""
    if isinstance(value, dict):
        return [f"{key} {each}" for key, values in value.items() for each in _strings(values)]
    if isinstance(value, list):
        return [each if isinstance(each, str) else json.dumps(each) for each in value]
    return [] if value is None else [value if isinstance(value, str) else json.dumps(value)]


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
