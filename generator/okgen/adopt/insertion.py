"""Writes a patch into the text of a cluster.yaml: it is put in, and every other character stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from okgen.adopt import spans
from okgen.emit import dump, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from okgen.adopt.spans import Entry, Span

_STEP = 2  # columns that a level is set in, as in okgen's own files
_PATCHES = "patches"
_LINE_END = re.compile(r"\r\n|\n|\r")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")


class ImpossibleError(ValueError):
    """The text is written in a way that leaves no place for a patch; the message says why."""


def with_entry(text: str, addon: str, entry: dict[str, Any]) -> Iterator[str]:
    """The text with one more entry at the end of the add-on's ``patches``, in ways to try, the best to read first.

    Raises ImpossibleError.
    """
    yield from _ways(text, addon, entry)
    # A block of text that ends the file cannot end in a line end where the file does not.
    yield from _ways(text, addon, dict(reversed(entry.items())))


def _ways(text: str, addon: str, entry: dict[str, Any]) -> Iterator[str]:
    root = spans.of(text)
    addons, section = spans.at(root, "addons"), spans.at(root, "addons", addon)
    if addons is None or section is None:
        raise ImpossibleError(f"the section of {addon} comes from an anchor: give {addon} one of its own")
    step = max(addons.value.column - root.column, 1) if addons.value.bracket < 0 else _STEP
    edit, value, column = _Edit(text), section.value, addons.value.column + step
    if _PATCHES in value.entries:
        yield _into_list(edit, value.entries[_PATCHES], value.column + step, entry)
        return
    block, flow = _block(entry), edit.flow({_PATCHES: [entry]})[1:-1]
    if value.kind == spans.MAPPING and value.entries:
        if value.bracket < 0:
            yield edit.lines_after(value.end, block, value.column)
            return
        if value.bracket == value.start and not value.inside and "\n" not in text[value.start : value.end]:
            lines = [text[each.start : max(each.end, each.value.end)] for each in value.entries.values()]
            yield edit.new_value(section, column, "\n".join([*lines, block]), "")
        yield edit.before_bracket(value, flow)
        return
    if value.kind == spans.ALIAS:
        alias = text[value.start : value.end]
        block, flow = f"<<: {alias}\n{block}", f"<<: {alias} , {flow}"
    elif value.kind == spans.SCALAR and not value.bare:
        raise ImpossibleError(f"the section of {addon} is an anchor or a tag with nothing behind it")
    yield edit.new_value(section, column, block, f"{{{flow}}}")


def _block(entry: dict[str, Any]) -> str:
    """A list of one entry, with its key."""
    lines = dump([entry]).rstrip("\n").split("\n")
    return "\n".join([f"{_PATCHES}:", *(f"{' ' * _STEP}{line}" if line else "" for line in lines)])


def with_text(text: str, addon: str, number: int, patch: str) -> Iterator[str]:
    """The text with another patch in the entry of that number, from 0, in ways to try. Raises ImpossibleError."""
    patches = spans.at(spans.of(text), "addons", addon, _PATCHES)
    entry = patches.value.items[number] if patches and number < len(patches.value.items) else None
    found = entry.entries.get("patch") if entry else None
    if entry is None or found is None or found.value.kind != spans.SCALAR:
        raise ImpossibleError("the patch that is there comes from an anchor")
    edit, value = _Edit(text), found.value
    if value.inside:
        yield edit.replaced(value.start, value.end, quoted(patch))
    else:
        written = dump({"patch": patch}).partition(": ")[2].rstrip("\n")
        yield edit.replaced(value.start, value.end, edit.set_in(written, entry.column))


def _into_list(edit: _Edit, patches: Entry, column: int, entry: dict[str, Any]) -> str:
    listed = patches.value
    if listed.kind != spans.SEQUENCE:
        raise ImpossibleError("the patches come from an anchor: write them out where they are used")
    if listed.bracket < 0:
        return edit.lines_after(listed.end, dump([entry]), listed.column)
    if listed.items:
        return edit.before_bracket(listed, edit.flow(entry))
    return edit.new_value(patches, column, dump([entry]), edit.flow([entry]))


class _Edit:
    """Makes a change that fits the text around it: its line ends, and whether it ends in one."""

    def __init__(self, text: str) -> None:
        self._text = text
        found = _LINE_END.search(text)
        self._line_end = found[0] if found else "\n"
        self._is_json = text.lstrip().startswith("{") and '"addons"' in text

    def replaced(self, start: int, end: int, new: str) -> str:
        """The text with something else from one place to another."""
        return self._text[:start] + new + self._text[end:]

    def flow(self, value: Any) -> str:  # noqa: ANN401 - any YAML value
        """A value within brackets, on one line; in a file of JSON it is JSON."""
        if isinstance(value, dict):
            return "{" + ", ".join(f"{self.flow(key)}: {self.flow(item)}" for key, item in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        is_plain = not self._is_json and _PLAIN.fullmatch(value) and dump(value) == f"{value}\n"
        return value if is_plain else quoted(value)

    def set_in(self, yaml: str, column: int) -> str:
        """Lines of YAML, from the second on set in by a number of columns; empty ones stay empty."""
        first, *more = yaml.split("\n")
        return self._line_end.join([first, *(f"{' ' * column}{line}" if line else "" for line in more)])

    def lines_after(self, place: int, yaml: str, column: int) -> str:
        """Whole lines behind the one that ends with a place or has only a comment behind it."""
        lines = " " * column + self.set_in(yaml.rstrip("\n"), column)
        if place and self._text[place - 1] in "\r\n":
            return self.replaced(place, place, lines + self._line_end)
        found = _LINE_END.search(self._text, place)
        if found is None:
            return self._text + self._line_end + lines
        return self.replaced(found.end(), found.end(), lines + self._line_end)

    def before_bracket(self, span: Span, flow: str) -> str:
        """One more entry behind the last in brackets that are not empty."""
        last = max(
            [each.end for each in span.items] + [max(each.end, each.value.end) for each in span.entries.values()]
        )
        return self.replaced(last, last, f", {flow}")

    def new_value(self, entry: Entry, column: int, block: str, flow: str) -> str:
        """Another value for a key: on lines below it, or in brackets where the key stands within some."""
        old = entry.value
        between = self._text[entry.end : old.start]
        if old.inside:
            colon = "" if ":" in between else ":"
            return self.replaced(old.start, old.end, f"{colon}{'' if between.endswith(' ') else ' '}{flow}")
        start = entry.end + len(between.rstrip())
        without = _Edit(self.replaced(start, max(start, old.end), ""))
        return without.lines_after(start, block, column)
