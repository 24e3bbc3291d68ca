"""Where the program starts and ends: exit codes, Ctrl-C, closed pipes and the one place that catches the unexpected."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: list[str] | None = None) -> int:
    """Run okgen with these arguments, or the process's own; the exit code is 0, 1 or 2."""
    given = sys.argv[1:] if arguments is None else arguments
    gc.disable()  # a run is short, and what it makes is in use to its end
    _prepare_streams()
    try:
        code = _run(given)
        if arguments is None:
            gc.freeze()  # the process ends: the interpreter need not look through all of it once more
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("okgen: interrupted\n")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` for one, has what it wanted. Python's own flush at exit would complain once more.
        sys.stdout = None
        return 0
    except OSError as error:  # a full disk, for one, behind stdout or stderr
        sys.stdout = None
        return _cannot_write(error)
    return code


def _run(given: list[str]) -> int:
    if given == ["--version"]:
        # Answered before anything is imported: editors and hooks ask for it all the time.
        from okgen import __version__

        sys.stdout.write(f"okgen {__version__}\n")
        return 0
    from okgen import cli

    return cli.main(given)


def _prepare_streams() -> None:
    """Makes writing safe: Python has None in the place of a stream that the caller closed (``>&-``)."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open until the process ends
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # input may hold what the terminal's encoding lacks


def _cannot_write(error: OSError) -> int:
    try:
        sys.stderr.write(f"okgen: cannot write what there is to say: {error.strerror}\n")
    except OSError:
        sys.stderr = None  # that is the one
    return 2


if __name__ == "__main__":
    sys.exit(main())
