"""Checks a large fleet in several processes.

Helpers only say which clusters are as they would be rendered. Whatever else they meet, be it a mistake in a file, an
edit or a fault of their own, is left to the process that asked, which does it as it would without them. So what a run
says does not depend on how many processes there were.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from okgen import pipeline
from okgen.problem import Refused, Unable, has_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import BinaryIO, Self

    from okgen.cache.memory import Learned, Memory
    from okgen.pipeline import Planned
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
    """Processes that look at later parts of a run's inputs, ``with Helpers(inputs, output, memory) as helpers``.

    They are ``Knowledge`` for that run, and use what there is before them.
    """

    def __init__(self, inputs: Sequence[Input], output: str | None, memory: Memory | None) -> None:
        self._inputs, self._output, self._memory = inputs, output, memory
        self._helpers: dict[str, _Helper] = {}  # by the path of the first input that is its own
        self._answered: dict[str, Planned] = {}  # by the path of an input that is yet to be asked for

    def __enter__(self) -> Self:
        count = min(_processors(), _MOST)
        if len(self._inputs) >= LEAST and count > 1:
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

    def sound(self, given: Input) -> Planned | None:
        """What is known of a cluster whose tree is as it would be rendered; to be asked in the order of the inputs."""
        if given.path in self._helpers:
            self._answered, learned = _answer(self._helpers[given.path])
            if self._memory:
                self._memory.learn(learned)
            self._helpers.pop(given.path).stop()
        found = self._answered.pop(given.path, None)
        return self._memory.sound(given) if found is None and self._memory else found

    def keep(self, planned: Planned) -> None:
        """A cluster that has been rendered here."""
        if self._memory:
            self._memory.keep(planned)

    def _start(self, inputs: Sequence[Input]) -> _Helper:
        answer, end = os.pipe()
        pid = os.fork()
        if pid:
            os.close(end)
            return _Helper(pid, open(answer, "rb"))
        try:
            import pickle

            found = {each.input.path: each for each in _sound(inputs, self._output, self._memory)}
            with open(end, "wb") as stream:
                pickle.dump((found, self._memory.learned() if self._memory else {}), stream)
        finally:
            os._exit(0)  # nothing of this process's own is to be done twice


def _answer(helper: _Helper) -> tuple[dict[str, Planned], Learned]:
    """What a helper found, by path, and what its memory has learned; nothing when it failed."""
    import pickle

    try:
        found: tuple[dict[str, Planned], Learned] = pickle.load(helper.answer)  # noqa: S301 - of this process's own making
    except (EOFError, pickle.UnpicklingError):
        return {}, {}
    return found


def _sound(inputs: Sequence[Input], output: str | None, memory: Memory | None) -> list[Planned]:
    """What there is to tell of those whose trees are as they would be rendered, without what was rendered."""
    import contextlib

    found: list[Planned] = []
    with contextlib.suppress(Refused, Unable):  # whoever asked meets it as well
        found.extend(
            each._replace(rendered=None, plan=each.plan._replace(recorded=None))
            for each in pipeline.planning(inputs, pipeline.Findings(), output, memory)
            if each.plan.is_empty and not has_errors(each.problems)
        )
    return found


def _processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
