"""Programs in the background: a log each, waited for until ready, ended in reverse order, never outliving pytest."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LAST_LINES = 12
PATIENCE = 30.0


class ProcessError(Exception):
    """Says which program ended or did not become ready, with the last lines of its log."""


class Process(NamedTuple):
    """A program that was started; its process id is ``running.pid``."""

    name: str
    log: Path
    running: subprocess.Popen[bytes]

    def tail(self, lines: int = LAST_LINES) -> str:
        """The last lines it wrote."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class Processes:
    """The programs of a run, in the order of their start."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.all: dict[str, Process] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        ready: Callable[[], object] | None = None,
        within: float = 90.0,
    ) -> Process:
        """Starts a program under a name of this run, and waits until ``ready`` gives something true.

        ``env`` is the whole environment, by default this process's own. The log is NAME.log; a program started again
        goes on in it. Call it from the main thread: the kernel ends a child with the thread that made it.

        Raises ProcessError.
        """
        assert name not in self.all, f"{name} runs already"
        log = self.folder / f"{name}.log"
        with log.open("ab") as out:
            # setpriv replaces itself by the program, which keeps the process id, and dies with us.
            call = ["setpriv", "--pdeathsig", "KILL", "--", *argv]
            # Ctrl-C at a terminal is for pytest alone, which then ends them in their order; in a group of their own.
            child = subprocess.Popen(call, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, process_group=0)
        process = self.all[name] = Process(name, log, child)
        if ready:
            self._wait(process, ready, within)
        return process

    def _wait(self, process: Process, ready: Callable[[], object], within: float) -> None:
        end = time.monotonic() + within
        while True:
            with contextlib.suppress(OSError):  # nobody listens yet
                if ready():
                    return
            if (code := process.running.poll()) is not None:
                del self.all[process.name]
                raise ProcessError(f"{process.name} ended with {code}:\n{process.tail()}")
            if time.monotonic() > end:
                raise ProcessError(f"{process.name} is not ready after {within:.0f} s:\n{process.tail()}")
            time.sleep(0.1)

    def stop(self, *names: str) -> None:
        """Ends programs together, and waits for all; what does not heed SIGTERM is killed."""
        ending = [process for name in names if (process := self.all.pop(name, None))]
        for process in ending:
            process.running.terminate()
        for process in ending:
            try:
                process.running.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.running.kill()
                process.running.wait()

    def close(self) -> None:
        """Ends them all, the last one started first. Nothing of theirs is needed any more, so they are not asked."""
        for process in reversed(self.all.values()):
            process.running.kill()
            process.running.wait()
        self.all.clear()

    def ended(self) -> list[Process]:
        """Programs that have gone by themselves, which none should."""
        return [each for each in self.all.values() if each.running.poll() is not None]

    def memory(self) -> dict[str, int]:
        """Resident memory by name, MiB."""
        return {name: _resident(each.running.pid) for name, each in self.all.items()}


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
