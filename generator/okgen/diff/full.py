"""A comparison as text for people at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from okgen.diff.facts import REFUSED, REMOVAL, RISKS, WIDENED
from okgen.diff.group import groups, rows
from okgen.report.paint import BLUE, BOLD, RED, YELLOW, Paint
from okgen.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from okgen.diff.group import Group, Row
    from okgen.diff.nouns import Cause, ClusterDiff

_MOST_NAMES = 3
_MOST_LINES = 20
_MOST_SUBJECTS = 9
_SIGNS = {"+": "\x1b[32m", "-": "\x1b[31m", "~": YELLOW}
_GRAVE = (REMOVAL, REFUSED, WIDENED)


def text(diffs: Sequence[ClusterDiff], base: str | None, *, color: bool) -> str:
    """The table, then what there is to know by risk, then what was folded."""
    paint = Paint(color)
    parts = [_table(rows(diffs), paint)]
    last = ""
    for group in groups(diffs):
        if group.item.risk != last:
            last = group.item.risk
            parts.append(paint(RED if last in _GRAVE else BOLD, RISKS[last].heading) + "\n")
        parts.append(_group(group, paint, many=len(diffs) > 1))
    last_lines = [line for line in (stops_line(diffs, base), folded_line(diffs)) if line]
    return "\n".join([*parts, *(["\n".join(last_lines) + "\n"] if last_lines else [])])


def folded_line(diffs: Sequence[ClusterDiff]) -> str:
    """How much merely follows, in a line; empty for nothing."""
    files = sum(len(each.followers) for each in diffs)
    fields = sum(len(change.folded) for each in diffs for change in each.changes)
    told = [
        f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((files, "file"), (fields, "field")) if count
    ]
    if not told:
        return ""
    follow = "follows" if files + fields == 1 else "follow"
    return f"folded: {' and '.join(told)} that merely {follow} (README, index, digests, version labels)"


def stops_line(diffs: Sequence[ClusterDiff], base: str | None) -> str:
    """That a render would stop at edits, where there are any on disk; else empty."""
    edited = sum(each.edits for each in diffs)
    if base is not None or not edited:
        return ""
    what = "file is not as okgen wrote it" if edited == 1 else "files are not as okgen wrote them"
    return f"{edited} {what}: a render stops there, and --force overwrites"


def names(clusters: Sequence[str]) -> str:
    """Clusters in a few words."""
    if len(clusters) <= _MOST_NAMES + 1:
        return ", ".join(clusters)
    return f"{', '.join(clusters[:_MOST_NAMES])} and {len(clusters) - _MOST_NAMES} more"


def subjects(titles: Sequence[str]) -> list[str]:
    """What something is said of, one a line, the first few of many."""
    if len(titles) <= _MOST_SUBJECTS + 1:
        return list(titles)
    return [*titles[:_MOST_SUBJECTS], f"and {len(titles) - _MOST_SUBJECTS} more"]


def cause_lines(causes: Sequence[Cause]) -> list[str]:
    """Causes in lines: of a key that stands in many files, or of many reasons without a place, the first ones."""
    places: dict[tuple[str, str], list[str]] = {}
    for each in causes:
        where = f"{each.file}:{each.line}" if each.line else each.file
        places.setdefault((each.reason, each.path), []).append(where)
    keys: dict[str, list[str]] = {}
    for (reason, path), lines in places.items():
        known = names([each for each in lines if each])
        keys.setdefault(known, []).append(f"{path} ({reason})" if path and reason else path or reason)
    return [f"{known} {names([each for each in said if each])}".strip() for known, said in keys.items()]


def _table(table: Sequence[Row], paint: Paint) -> str:
    columns = sorted({addon for row in table for addon in row.cells if addon})
    own = any("" in row.cells for row in table)
    heads = ["cluster", *columns, *(["cluster-wide"] if own else []), "verdict"]
    lines = [
        [names(row.clusters), *(_cell(row, addon) for addon in [*columns, *([""] if own else [])]), row.verdict]
        for row in table
    ]
    widths = [max(len(line[place]) for line in [heads, *lines]) for place in range(len(heads) - 1)]
    shown = []
    for number, row in enumerate([heads, *lines]):
        cells = "  ".join(harmless(cell).ljust(width) for cell, width in zip(row, widths, strict=False))
        whole = f"{cells}  {harmless(row[-1])}"
        shown.append(paint(BOLD, whole) if number == 0 else whole)
    return "\n".join(shown) + "\n"


def _cell(row: Row, addon: str) -> str:
    cell = row.cells.get(addon)
    return str(cell) if cell else "."


def _group(group: Group, paint: Paint, *, many: bool) -> str:
    item = group.item
    lines = [f"  {paint(BOLD, harmless(each))}" for each in subjects(group.subjects)]
    if many:
        lines[-1] += f"  {paint(BLUE, 'in ' + harmless(names(group.clusters)))}"
    shown = item.lines if len(item.lines) <= _MOST_LINES else item.lines[: _MOST_LINES - 1]
    lines += [f"    {_line(each, paint)}" for each in shown]
    if len(shown) < len(item.lines):
        lines.append(f"    … and {len(item.lines) - len(shown)} more; --format json has all")
    lines += [f"    {harmless(note)}" for note in item.note.splitlines()]
    lines += [f"    {paint(BLUE, 'cause: ' + harmless(each))}" for each in cause_lines(group.causes)]
    return "\n".join(lines) + "\n"


def _line(line: str, paint: Paint) -> str:
    sign = line.lstrip()[:1]
    return paint(_SIGNS[sign], harmless(line)) if sign in _SIGNS else harmless(line)
