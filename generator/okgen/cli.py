"""The command line: which commands there are, their common options, and how a failure is shown."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from okgen.manual import closing
from okgen.problem import Refused, Unable, in_order
from okgen.text import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence


class Command(NamedTuple):
    """A command.

    Its module in ``okgen.commands`` has ``configure(parser)``, ``run(arguments) -> exit code`` and ``MANUAL``.
    """

    name: str
    summary: str


COMMANDS = (
    Command("init", "write a commented cluster.yaml to start from"),
    Command("render", "bring the tree of each cluster up to date"),
    Command("check", "compare each tree with what would be rendered, and list what differs; never writes"),
    Command("diff", "what a render changes, object by object and by risk, against the tree or a Git revision"),
    Command("watch", "render again whenever a file is saved, and show what that changes"),
    Command("validate", "look for problems in cluster.yaml only, not in the tree; never writes"),
    Command("adopt", "turn hand edits of rendered objects into patches in cluster.yaml"),
    Command("why", "from a rendered line to the line of cluster.yaml that caused it, and back"),
    Command("vendor", "fetch the pinned upstream files for `gitops.crds: vendored`"),
    Command("addons", "the add-ons, their versions and keys"),
    Command("completion", "completion for bash, zsh and fish"),
    Command("schema", "the JSON Schema of cluster.yaml, or of okgen.yaml, for editors"),
)
_WIDTH = 100
_EPILOG = """\
exit codes: 0 done; 1 problems in the input, or drift; 2 could not run
examples:
  okgen init
  okgen render cluster.yaml
  okgen check .            every cluster.yaml below this folder
  okgen addons external-dns
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """The usual help; told its width, it need not import what finds it out, which takes as long as a small render."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\nsee {self.prog} --help\n")


def main(arguments: list[str]) -> int:
    """Parse the arguments and run the command. Raises KeyboardInterrupt, BrokenPipeError."""
    if not arguments:
        sys.stderr.write(parser_for(arguments).format_help())
        return 2
    try:
        parsed = parser_for(arguments).parse_args(arguments)
    except SystemExit as leaving:  # argparse leaves by itself after --help and mistakes
        return int(leaving.code or 0)
    module = import_module(f"okgen.commands.{parsed.command}")
    try:
        return int(module.run(parsed))
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Refused as refused:
        return _refused(refused)
    except Exception as error:
        if parsed.debug:
            raise
        lines = explained(error).splitlines() or [""]
        sys.stderr.write("".join(f"okgen: {harmless(line)}\n" for line in lines))
        return 2


def parser_for(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command line, with the options of those commands only that are named in it."""
    from okgen import __version__

    parser = _Parser(
        prog="okgen",
        description="Renders cluster.yaml into Kustomize and Argo CD trees for the add-ons of an EKS cluster.",
        epilog=_EPILOG,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"okgen {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for command in COMMANDS:
        child = commands.add_parser(
            command.name,
            help=command.summary,
            description=command.summary[0].upper() + command.summary[1:] + ".",
            formatter_class=_Help,
        )
        child.add_argument("--debug", action="store_true", help="show a traceback when okgen itself fails")
        if command.name in arguments:  # the others' modules need not be read
            module = import_module(f"okgen.commands.{command.name}")
            module.configure(child)
            child.description = f"{child.description}\n\n{module.MANUAL.text}"
            child.epilog = closing(module.MANUAL)
    return parser


def _refused(refused: Refused) -> int:
    from okgen.report import render

    sys.stderr.write(render(in_order(refused.problems), "concise", {}, color=False))
    return 1


def explained(error: Exception) -> str:
    """What to say of an error that ends a command, in a line or more."""
    if isinstance(error, Unable):
        return str(error)
    from okgen.addons.template import TemplateError  # most runs end well

    if isinstance(error, TemplateError):
        return f"a fault in an add-on folder, not in your file: {error}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else f"cannot write or read: {error.strerror}"
    return f"internal error: {type(error).__name__}: {error}; --debug shows where"
