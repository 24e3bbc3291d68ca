"""A comparison as Markdown that fits a comment on a pull request, whatever is in the trees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from okgen.diff.facts import DNS, REFUSED, REMOVAL, RISKS, WIDENED
from okgen.diff.full import cause_lines, folded_line, names, stops_line, subjects
from okgen.diff.group import groups, rows
from okgen.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from okgen.diff.group import Group, Row
    from okgen.diff.nouns import ClusterDiff

LIMIT = 65_536  # characters of a comment on GitHub
_RESERVED = 1_000  # for what closes the comment
_TABLE = 16_000
_BLOCK = 8_000
_MOST_LINES = 40
_LONGEST = 400
_OPEN = (REMOVAL, REFUSED, WIDENED, DNS)
# Everything else becomes a character reference, which neither Markdown nor HTML takes for one of its own signs.
_SPECIAL = re.compile(r"[^A-Za-z0-9 .,:/+-]")
MARK = "<!-- okgen diff -->"


def text(diffs: Sequence[ClusterDiff], base: str | None, *, color: bool) -> str:  # noqa: ARG001 - as the others have it
    """At most ``LIMIT`` characters: the table, then what there is to know by risk, folded."""
    table = rows(diffs)
    parts = [f"{MARK}\n{_head(diffs, base)}\n", _table(table)]
    room = LIMIT - _RESERVED - sum(map(_length, parts))
    left_out = 0
    for risk, members in _by_risk(groups(diffs)).items():
        opened = " open" if risk in _OPEN else ""
        start = f"\n<details{opened}><summary><b>{RISKS[risk].heading}</b> ({len(members)})</summary>\n\n"
        end = "</details>\n"
        room -= _length(start) + _length(end)
        blocks = []
        for group in members:
            block = _block(group, many=len(diffs) > 1)
            if _length(block) > room:
                left_out += 1
            else:
                room -= _length(block)
                blocks.append(block)
        if room > 0:
            parts += [start, *blocks, end]
    if left_out:
        parts.append(f"\n{left_out} more changes do not fit here: `okgen diff` shows them.\n")
    last = [line for line in (stops_line(diffs, base), folded_line(diffs)) if line]
    return "".join([*parts, *(f"\n<sub>{line}</sub>\n" for line in last)])


def _length(part: str) -> int:
    """Characters as JavaScript and databases count them: two for one beyond the first 65,536 of Unicode."""
    return len(part) if part.isascii() else len(part.encode("utf-16-le", "surrogatepass")) // 2


def _by_risk(found: Sequence[Group]) -> dict[str, list[Group]]:
    sorted_out: dict[str, list[Group]] = {}
    for each in found:
        sorted_out.setdefault(each.item.risk, []).append(each)
    return sorted_out


def _head(diffs: Sequence[ClusterDiff], base: str | None) -> str:
    against = f" against {_code(base)}" if base else ""
    changed = sum(bool(each.effects or each.items) for each in diffs)
    if not changed:
        return f"### okgen: no effect{against}\n"
    return f"### okgen: {changed} of {len(diffs)} {'cluster' if len(diffs) == 1 else 'clusters'} change{against}\n"


def _table(table: Sequence[Row]) -> str:
    columns = sorted({addon for row in table for addon in row.cells if addon})
    if any("" in row.cells for row in table):
        columns.append("")
    heads = ["cluster", *(_code(addon) if addon else "cluster-wide" for addon in columns), "verdict"]
    lines = [_row(heads), _row(["---"] * len(heads))]
    room = _TABLE
    for place, row in enumerate(table):
        cells = [f"`{row.cells[addon]}`" if addon in row.cells else "" for addon in columns]
        line = _row([_code(names(row.clusters)), *cells, row.verdict])
        room -= len(line)
        if room < 0:
            lines.append(f"\n… and {sum(len(each.clusters) for each in table[place:])} more clusters\n")
            break
        lines.append(line)
    return "".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _code(value: str) -> str:
    """A text as inline code; what is special in Markdown or HTML, or for who reads mentions, is none any more."""
    shown = harmless(value)
    shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
    return f"<code>{_SPECIAL.sub(lambda sign: f'&#{ord(sign[0])};', shown)}</code>"


def _block(group: Group, *, many: bool) -> str:
    """One item: a heading in inline code, and a fenced block that nothing in it can close."""
    item = group.item
    lines = [f"{line[:1]}{harmless(line[1:])}"[:_LONGEST] for line in map(_diff_line, item.lines[:_MOST_LINES])]
    if len(item.lines) > _MOST_LINES:
        lines.append(f"  … and {len(item.lines) - _MOST_LINES} more")
    notes = [harmless(note)[: 2 * _LONGEST] for note in item.note.splitlines()]
    causes = [f"cause: {harmless(line)}"[:_LONGEST] for line in cause_lines(group.causes)[:_MOST_LINES]]
    body = [*lines, *(f"# {each}" for each in (*notes, *causes))]
    runs = re.findall("`+", "\n".join(body))
    fence = "`" * max(3, *(len(run) + 1 for run in runs), 3)
    where = f" in {_code(names(group.clusters))}" if many else ""
    head = ",\n".join(map(_code, subjects(group.subjects))) + f"{where}\n"
    text = "\n".join(body)[:_BLOCK]
    return f"{head}\n{fence}diff\n{text}\n{fence}\n\n" if body else f"{head}\n"


def _diff_line(line: str) -> str:
    """As ``diff`` highlighting has it, which knows no "~"."""
    return f"!{line[1:]}" if line.startswith("~") else line
