"""Completion in the real shells: what is typed with tabs is what a user types, what comes out is what would be run."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import rendering
from okgen.addons.catalogue import Catalogue
from okgen.cli import COMMANDS, parser_for
from okgen.completion import FILES, FOLDERS, SHELLS, Page, pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAMES = [command.name for command in COMMANDS]
PATIENCE = 30  # s
# How each shell starts without its owner's settings, and how it is told not to colour or suggest.
SHELL_CALLS = {
    "bash": ["bash", "--noprofile", "--norc", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
PREPARED = {
    "bash": "bind 'set enable-bracketed-paste off'; ",
    "zsh": "unsetopt zle_bracketed_paste prompt_cr prompt_sp; autoload -Uz compinit; compinit -u -D; ",
}
ECHO = "okgen() { printf '<%s>' \"$@\"; echo; }; . ./script; PS1='ready> '\n"


@pytest.fixture(scope="module")
def listed() -> list[Page]:
    return pages(parser_for(NAMES), Catalogue().names)


def test_every_command_is_a_page(listed: list[Page]) -> None:
    assert [page.name for page in listed] == ["", *NAMES]
    assert all(page.summary for page in listed[1:])


def test_values_come_from_the_parsers(listed: list[Page]) -> None:
    render = next(page for page in listed if page.name == "render")
    values = {option.names[-1]: option.value for option in render.options}
    assert values["--force"] is None
    assert values["--format"] is not None
    assert values["--format"].choices == ("full", "concise", "json", "github", "sarif", "junit")
    assert values["--output"] is not None
    assert values["--output"].kind == FOLDERS
    assert [operand.kind for operand in render.operands] == [FILES]
    addons = next(page for page in listed if page.name == "addons")
    assert list(addons.operands[0].choices) == Catalogue().names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to complete in."""
    (tmp_path / "shop clusters").mkdir()
    (tmp_path / "shop clusters" / "cluster.yaml").touch()
    (tmp_path / "zoo.okgen.yaml").touch()
    (tmp_path / "zoo.d").mkdir()
    return tmp_path


# What is typed, and what would be run. One tab completes as far as there is no choice.
TYPED = {
    "ren\t": ["render"],
    "completion zs\t": ["completion", "zsh"],
    "check --diff --form\tsar\t": ["check", "--diff", "--format", "sarif"],
    "check --format=sar\t": ["check", "--format=sarif"],
    "render --fail\t": ["render", "--fail-on-change"],
    "addons ext\tdn\t": ["addons", "external-dns"],
    "schema --addon cert\t": ["schema", "--addon", "cert-manager"],
    "render sho\t": ["render", "shop clusters/"],
    "why zoo.o\t": ["why", "zoo.okgen.yaml"],
    "render zoo.o\t": ["render", "zoo.okgen.yaml"],
    "render --output zo\t": ["render", "--output", "zoo.d/"],
}


@pytest.mark.tools
@pytest.mark.parametrize("typed", TYPED)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_typing_with_tabs(shell: str, typed: str, folder: Path) -> None:
    with _shell(shell, folder) as terminal:
        said = terminal.run(f"okgen {typed}")

    wanted = "".join(f"<{word}>" for word in TYPED[typed])
    assert _alike(said) == _alike(wanted)


def _alike(arguments: str) -> str:
    """Shells differ in two things that programs take for the same: ``--a=b`` for ``--a b``, and a slash at the end."""
    return arguments.replace("=", "><").replace("/>", ">")


# fish shows what it would offer without a terminal.
OFFERED = {
    "okgen ren": {"render"},
    "okgen check --format sar": {"sarif"},
    "okgen check --format=sar": {"--format=sarif"},
    "okgen render --fail": {"--fail-on-change"},
    "okgen addons external-": {"external-dns", "external-secrets"},
    "okgen schema --addon cert": {"cert-manager"},
    "okgen render zoo": {"zoo.okgen.yaml", "zoo.d/"},
    "okgen render --output zo": {"zoo.d/"},
    "okgen completion ": set(SHELLS),
    "okgen addons zoo": set(),
}


@pytest.mark.tools
@pytest.mark.parametrize("typed", OFFERED)
def test_fish_offers(typed: str, folder: Path) -> None:
    _installed("fish")
    (folder / "script").write_text(script("fish", folder), encoding="utf-8")
    call = ["fish", "--no-config", "--command", "source script; complete --do-complete $argv[1]", typed]

    run = subprocess.run(call, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False)

    assert run.stderr == ""
    assert {line.split("\t")[0] for line in run.stdout.splitlines()} == OFFERED[typed]


@pytest.mark.tools
def test_fish_describes(folder: Path) -> None:
    _installed("fish")
    (folder / "script").write_text(script("fish", folder), encoding="utf-8")
    call = ["fish", "--no-config", "--command", "source script; complete --do-complete 'okgen '"]

    run = subprocess.run(call, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False)

    found = dict(line.split("\t") for line in run.stdout.splitlines())
    assert {name: found.get(name) for name in NAMES} == {command.name: command.summary for command in COMMANDS}


def script(shell: str, folder: Path) -> str:
    code, out, err = rendering.okgen("completion", shell, cwd=folder)
    assert (code, err) == (0, "")
    return out


def _installed(shell: str) -> None:
    if shutil.which(shell) is None:
        rendering.unavailable(f"completion in {shell}, which is not installed", f"apt-get install {shell}")


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb", "LC_ALL": "C.UTF-8", "INPUTRC": os.devnull}


class Terminal:
    """The user's side of a terminal in which a shell runs."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def expect(self, pattern: str) -> re.Match[str]:
        """Reads until what was printed matches."""
        said = ""
        while not (found := re.search(pattern, said, flags=re.DOTALL)):
            ready, _, _ = select.select([self._descriptor], [], [], PATIENCE)
            assert ready, f"no {pattern!r} in {said!r}"
            said += os.read(self._descriptor, 65536).decode(errors="replace").replace("\r", "")
        return found

    def type(self, text: str) -> None:
        """Sends keys."""
        os.write(self._descriptor, text.encode())

    def run(self, line: str) -> str:
        """What a line prints that ends up as one call of the function okgen."""
        for part in re.split(r"(?<=\t)", line):
            self.type(part)
        self.type("\n")
        return self.expect(r"\n(<[^\n]*>)\n")[1]


@contextmanager
def _shell(shell: str, folder: Path) -> Iterator[Terminal]:
    """An interactive shell that has sourced the script, and in which okgen prints its arguments."""
    _installed(shell)
    (folder / "script").write_text(script(shell, folder), encoding="utf-8")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        SHELL_CALLS[shell],
        cwd=folder,
        env=_environment(folder),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    terminal = Terminal(ours)
    try:
        terminal.type(PREPARED[shell] + ECHO)
        terminal.expect(r"\nready> ")
        yield terminal
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_an_unknown_shell_is_an_error(tmp_path: Path) -> None:
    assert rendering.okgen("completion", "tcsh", cwd=tmp_path)[0] == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_finds_no_fault(shell: str, tmp_path: Path) -> None:
    _installed(shell)
    text = script(shell, tmp_path)

    run = subprocess.run(
        [shell, "--no-config" if shell == "fish" else "-f", "-n"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stderr) == (0, "")
