"""Makes the OpenAPI definitions that Kubernetes 1.21 does not hold in Git, and without which it does not compile.

build.py runs it in a copy of this folder, with the Go command. The generator is 1.21's own and wants a GOPATH, so it
gets one of links to the modules. The result goes into a copy of the module, as the module cache can neither be written
nor overlaid.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

GO = sys.argv[1]
HERE = Path.cwd()
TARGET = "k8s.io/kubernetes/pkg/generated/openapi"
FILE = "zz_generated.openapi"
MARK = "+k8s:openapi-gen=true"
MODULES = ("api", "apimachinery", "apiextensions-apiserver", "kube-aggregator", "apiserver", "client-go", "kubernetes")
NEEDED = ("go.mod", "cmd", "pkg", "plugin", "third_party")


def go(*arguments: str) -> str:
    """What a Go command prints."""
    return subprocess.run([GO, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def place(module: str) -> Path:
    """Where a module's source is, once it has been downloaded."""
    go("mod", "download", module)
    return Path(go("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module).strip())


def marked(module: str) -> list[str]:
    """The packages of a module that want definitions."""
    root = place(module)
    files = (path for path in root.rglob("*.go") if not path.name.endswith("_test.go") and MARK in path.read_text())
    return sorted({f"{module}/{path.parent.relative_to(root).as_posix()}" for path in files})


def generate(packages: list[str]) -> Path:
    """The definitions of these packages."""
    go(
        "build",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        "-o",
        "openapi-gen",
        "k8s.io/kube-openapi/cmd/openapi-gen",
    )
    listed = go("list", "-mod=readonly", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", *packages)
    sources = HERE / "gopath" / "src"
    for line in sorted(set(filter(None, listed.splitlines()))):
        path, _, source = line.partition(" ")
        (sources / path).parent.mkdir(parents=True, exist_ok=True)
        (sources / path).symlink_to(source)
    (HERE / "header").touch()
    call: list[str | Path] = [
        HERE / "openapi-gen",
        "-h",
        HERE / "header",
        "-i",
        ",".join(packages),
        "-p",
        TARGET,
        "-O",
        FILE,
    ]
    call += ["-r", HERE / "violations", "--output-base", HERE / "out", "--logtostderr"]
    old = {"GO111MODULE": "off", "GOPATH": str(HERE / "gopath"), "GODEBUG": "gotypesalias=0"}
    subprocess.run(call, cwd=sources, env=os.environ | old, check=True)
    return HERE / "out" / TARGET / f"{FILE}.go"


def main() -> None:
    """Leaves a module with the definitions in ./kubernetes, and go.mod pointing there."""
    made = generate([package for module in MODULES for package in marked(f"k8s.io/{module}")])
    source, copy = place("k8s.io/kubernetes"), HERE / "kubernetes"
    for name in NEEDED:
        if (source / name).is_dir():
            # The files of the module cache are read-only, and so would be their copies.
            shutil.copytree(source / name, copy / name, copy_function=shutil.copyfile)
        else:
            copy.mkdir(exist_ok=True)
            shutil.copyfile(source / name, copy / name)
    folder = copy / TARGET.removeprefix("k8s.io/kubernetes/")
    folder.chmod(0o755)
    shutil.copy(made, folder)
    go("mod", "edit", "-replace=k8s.io/kubernetes=./kubernetes")


main()
