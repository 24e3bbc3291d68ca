"""Where the program starts and ends: exit codes, Ctrl-C, closed pipes and the one place that catches the unexpected."""

from __future__ import annotations

import sys
from io import TextIOWrapper

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def main(arguments: list[str] | None = None) -> int:
    """Run okgen with these arguments, or the process's own; the exit code is 0, 1 or 2."""
    given = sys.argv[1:] if arguments is None else arguments
    if given == ["--version"]:
        # Answered before anything is imported: editors and hooks ask for it all the time.
        from okgen import __version__

        sys.stdout.write(f"okgen {__version__}\n")
        return 0
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # input may hold what the terminal's encoding lacks
    try:
        from okgen import cli

        code = cli.main(given)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("okgen: interrupted\n")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` for one, has what it wanted. Python's own flush at exit would complain once more.
        sys.stdout = None
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
