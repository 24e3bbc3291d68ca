"""A unified diff of two files that is safe to show: never long, and of texts only."""

from __future__ import annotations

MOST_BYTES = 256 * 1024  # and lines: what a comparison line by line costs grows with their square
_MOST_LINES = 2_000
_WIDTH = 200  # characters of a line
_CONTEXT = 3  # lines
_CUT = "..."
_HEAD = "--- what is there\n+++ what would be rendered\n"
_UNENDED = "\n\\ No newline at end of file"


def unified(before: bytes, after: bytes, most: int) -> str:
    """The hunks from one file to the other, ``most`` lines of them; a line that says so where they cannot be shown.

    Control characters are left in: whoever prints it has to see to them.
    """
    if max(len(before), len(after)) > MOST_BYTES:
        return f"too large to show: {len(before):,} bytes there, {len(after):,} rendered\n"
    sides = [_lines(before), _lines(after)]
    if None in sides:
        return "no text: it holds bytes that are not UTF-8, or a zero\n"
    there, rendered = (side or [] for side in sides)
    if max(len(there), len(rendered)) > _MOST_LINES:
        return f"too long to show: {len(there):,} lines there, {len(rendered):,} rendered\n"
    from difflib import unified_diff  # few runs need it

    hunks = list(unified_diff(there, rendered, n=_CONTEXT, lineterm=""))[2:]  # two lines of head
    shown = [line if len(line) <= _WIDTH else line[:_WIDTH] + _CUT for line in hunks[:most]]
    more = [f"{_CUT} {len(hunks) - most:,} lines more"] if len(hunks) > most else []
    return _HEAD + "".join(f"{line}\n" for line in [*shown, *more])


def _lines(data: bytes) -> list[str] | None:
    """The lines without their ends, the last one with a remark when it has none; None for what is no text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    if not text:
        return []
    lines = text.removesuffix("\n").split("\n")
    return lines if text.endswith("\n") else [*lines[:-1], lines[-1] + _UNENDED]
