"""An add-on's folder, read and compiled, and kept beside it the way Python keeps the bytecode of modules.

Parsing and compiling its templates takes longer than rendering a cluster. What is kept is used only while every byte
that it was made from is the same, okgen's own included, so it is never stale; where the folder cannot be written to,
the work is done anew in each run.
"""

from __future__ import annotations

import marshal
import os
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from okgen import __version__, resources
from okgen.addons.compiling import DIRECTIVES, compile_template

if TYPE_CHECKING:
    from collections.abc import Callable

    from okgen.addons.template import Template
    from okgen.read.source import Document

_KEPT = os.path.join("__pycache__", f"okgen.{sys.implementation.cache_tag}.bin")
# The modules that decide what comes out, read when they are imported: a process that runs on while they are edited must
# not pass what its old code makes for the work of the new.
_MAKERS = tuple(
    resources.own_file(name)
    for name in (
        "read/nodes.py",
        "read/scalars.py",
        "addons/precompiled.py",
        "addons/compiling.py",
        "addons/parts.py",
        "addons/template.py",
    )
)


def load(folder: str, shown: str) -> dict[str, Any]:
    """The parts of the add-on in a folder; ``shown`` comes before a file's name in messages.

    ``definition`` is plain data; ``manifests``, ``checks``, ``exclusive``, ``derived`` and ``statements`` are what
    ``Template`` takes.

    Raises TemplateError and Refused for faults in the folder, OSError when it cannot be read.
    """
    files = _files(folder)
    key = _key(files)
    place = os.path.join(folder, _KEPT)
    kept = _kept(place, key)
    if kept is None:
        kept = _compile(files, shown)
        _keep(place, key, kept)
    return kept


def _files(folder: str) -> dict[str, bytes]:
    """The bytes of every file that templates come from, by name below the folder, sorted."""
    base = sorted(name for name in os.listdir(os.path.join(folder, "base")) if name.endswith(".yaml"))
    names = ["addon.yaml", "iam.yaml", *(f"base/{name}" for name in base)]
    return {name: resources.read(path) for name in names if os.path.exists(path := os.path.join(folder, name))}


def _key(files: dict[str, bytes]) -> bytes:
    digest = sha256(f"{__version__} {sys.version}".encode())
    for name, data in [*files.items(), *(("", maker) for maker in _MAKERS)]:
        digest.update(f"\0{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.digest()


def _kept(place: str, key: bytes) -> dict[str, Any] | None:
    """What was kept, unless it is of other files or damaged."""
    try:
        data = resources.read(place)
    except OSError:
        return None
    body = data[len(key) :]
    checksum, body = body[: len(key)], body[len(key) :]
    if data[: len(key)] != key or sha256(body).digest() != checksum:
        return None
    kept: dict[str, Any] = marshal.loads(body)  # noqa: S302 - as trusted as the module that stands beside it
    return kept


def _keep(place: str, key: bytes, parts: dict[str, Any]) -> None:
    """Keeps the parts for the next run; that this is not possible is no fault."""
    body = marshal.dumps(parts)
    temporary = f"{place}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(key + sha256(body).digest() + body)
        os.replace(temporary, place)
    except OSError:
        _remove(temporary)  # half of it, where the disk is full


def _remove(path: str) -> None:
    """Removes a file if it is there."""
    try:
        os.unlink(path)
    except OSError:
        return


def _compile(files: dict[str, bytes], shown: str) -> dict[str, Any]:
    from okgen.read import source  # a run that finds everything compiled reads YAML for the input only

    documents = {name: source.parse(data, f"{shown}{name}") for name, data in files.items()}
    templates = {
        name: compile_template(each.data, each.file, each.root).parts()
        for name, each in documents.items()
        if name != "addon.yaml"
    }
    definition = documents["addon.yaml"].data
    file = f"{shown}addon.yaml"
    return {
        "definition": definition,
        "manifests": [parts for name, parts in templates.items() if name.startswith("base/")],
        "statements": templates.get("iam.yaml"),
        "checks": _list(documents["addon.yaml"], "checks", _finding).parts(),
        "exclusive": _list(documents["addon.yaml"], "exclusive", _claim).parts(),
        "derived": [
            (name, compile_template(each, file).parts()) for name, each in definition.get("derived", {}).items()
        ],
    }


def _list(document: Document, key: str, entry: Callable[[dict[str, Any]], dict[str, Any]]) -> Template:
    """A list of the definition as one template, whose objects say what they find: one evaluation instead of dozens."""
    listed = document.data.get(key, [])
    children = document.root.children
    node = children[key][2] if listed and isinstance(children, dict) else None
    return compile_template([{DIRECTIVES: _guard(each), **entry(each)} for each in listed], document.file, node)


def _guard(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: entry[key] for key in ("when", "forEach") if key in entry}


def _finding(check: dict[str, Any]) -> dict[str, Any]:
    text = {key: check.get(key, "") for key in ("at", "message", "help")}
    return {"code": check["code"], "severity": check.get("severity", "error"), **text}


def _claim(entry: dict[str, Any]) -> dict[str, Any]:
    text = {key: entry.get(key, "") for key in ("at", "what", "value", "match", "help")}
    severity = entry.get("severity", "error")
    across = entry.get("acrossProfiles", severity)
    return {"code": entry["code"], "severity": severity, "acrossProfiles": across, "within": entry["within"], **text}
