"""``okgen completion``: the completion of okgen's command line, for a shell to source."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from okgen.addons.catalogue import Catalogue
from okgen.completion import SHELLS, pages
from okgen.manual import Example, Manual

if TYPE_CHECKING:
    import argparse

MANUAL = Manual(
    """\
Commands, options, their values, add-ons and files. The text belongs to this version of okgen: sourced
when the shell starts, it is never older than okgen.
""",
    {0: "printed", 2: "no shell of that name"},
    (
        Example("okgen completion bash", "in ~/.bashrc: source <(okgen completion bash)"),
        Example("okgen completion zsh", "in ~/.zshrc, after compinit: source <(okgen completion zsh)"),
        Example("okgen completion fish", "in ~/.config/fish/config.fish: okgen completion fish | source"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(arguments: argparse.Namespace) -> int:
    """Print on stdout."""
    from okgen.cli import COMMANDS, parser_for

    parser = parser_for([command.name for command in COMMANDS])
    script = import_module(f"okgen.completion.{arguments.shell}").script
    sys.stdout.write(script(pages(parser, Catalogue().names)))
    return 0
