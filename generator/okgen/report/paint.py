"""Colours on a terminal, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from okgen.problem import Problem

RED, YELLOW, BLUE, BOLD = "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m"
DIFF = {"-": "\x1b[31m", "+": "\x1b[32m", "@": "\x1b[36m"}  # by the first character of a line
_OFF = "\x1b[0m"


class Paint:
    """Puts a text into a colour, where colours are wanted."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, code: str, text: str) -> str:
        """The text in the colour; the text must be harmless already."""
        return f"{code}{text}{_OFF}" if self._color else text

    def code(self, problem: Problem) -> str:
        """The code of a problem, and that it is a warning if it is."""
        if problem.is_error:
            return self(RED, problem.code)
        return f"{self(YELLOW, problem.code)} warning:"
