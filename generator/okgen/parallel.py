"""Checks a large fleet in several processes.

Helpers only say which clusters are as they would be rendered. Whatever else they meet, be it a mistake in a file, an
edit or a fault of their own, is left to the process that asked, which does it as it would without them. So what a run
says does not depend on how many processes there were.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen import pipeline
from okgen.pipeline import Findings, Sound
from okgen.problem import Refused, Unable, has_errors

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import BinaryIO, Self

    from okgen.read.inputs import Input

LEAST = 200  # clusters; for fewer, starting processes costs more than it saves
_MOST = 8  # processes


class _Helper(NamedTuple):
    """A process, and the end of a pipe that will have what it found, all at once."""

    pid: int
    answer: BinaryIO

    def stop(self) -> None:
        """Ends it, if it has not ended by itself."""
        import signal

        self.answer.close()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


class Helpers:
    """Processes that look at later parts of a run's inputs, ``with Helpers(inputs, output) as helpers``."""

    def __init__(self, inputs: Sequence[Input], output: str | None) -> None:
        self._inputs, self._output = inputs, output
        self._helpers: dict[str, _Helper] = {}  # by the path of the first input that is its own
        self.sound: deque[Sound] | None = None  # for ``pipeline.planning``, which takes them out
        self.found: list[tuple[Input, str]] = []  # the same, each with its cluster's folder

    def __enter__(self) -> Self:
        count = min(_processors(), _MOST)
        if len(self._inputs) >= LEAST and count > 1:
            from collections import deque

            self.sound = deque()
            size = -(-len(self._inputs) // count)
            for start in range(size, len(self._inputs), size):
                part = self._inputs[start : start + size]
                self._helpers[part[0].path] = self._start(part)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        for helper in self._helpers.values():
            helper.stop()

    def left(self, inputs: Iterable[Input]) -> Iterator[Input]:
        """Those of the inputs, which are the run's, that no helper found to be as they should; ``sound`` gets these."""
        known: dict[str, Sound] = {}
        for each in inputs:
            if each.path in self._helpers:
                known = _answer(self._helpers[each.path])
                self._helpers.pop(each.path).stop()
            found = known.pop(each.path, None)
            if found is None or self.sound is None:
                yield each
            else:
                self.sound.append(found)
                self.found.append((each, found.claim.folder))

    def _start(self, inputs: Sequence[Input]) -> _Helper:
        answer, end = os.pipe()
        pid = os.fork()
        if pid:
            os.close(end)
            return _Helper(pid, open(answer, "rb"))
        try:
            import pickle

            with open(end, "wb") as stream:
                pickle.dump(_sound(inputs, self._output), stream)
        finally:
            os._exit(0)  # nothing of this process's own is to be done twice


def _answer(helper: _Helper) -> dict[str, Sound]:
    """What a helper found, by path; nothing when it failed."""
    import pickle

    try:
        found: list[Sound] = pickle.load(helper.answer)  # noqa: S301 - of this process's own making
    except (EOFError, pickle.UnpicklingError):
        return {}
    return {each.input.path: each for each in found}


def _sound(inputs: Sequence[Input], output: str | None) -> list[Sound]:
    from okgen.together import claim, facts

    findings = Findings()
    found = []
    try:
        for rendered, plan in pipeline.planning(inputs, findings, output):
            document = rendered.document
            problems = tuple(each for each in findings.problems if each.file == document.file)
            findings.problems.clear()
            if plan.is_empty and not has_errors(problems):
                held = claim(document, rendered.cluster, rendered.place)
                known = facts(document, rendered.cluster)
                found.append(Sound(rendered.input, held, known, problems, document.text))
    except (Refused, Unable):
        pass  # it meets whoever asked as well
    return found


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
