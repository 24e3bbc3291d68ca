"""From the FILE arguments of a command to the input files they name."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from okgen.problem import Unable
from okgen.repository import SETTINGS, root_of
from okgen.text import harmless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEFAULT = "cluster.yaml"
_SUFFIXES = (".cluster.yaml", ".okgen.yaml")
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_REASONS = {
    errno.ENOENT: "no such file or folder",
    errno.EACCES: "no permission to read it",
    errno.ENXIO: "a socket or a device, not a file",
}


class Input(NamedTuple):
    """A cluster.yaml: absolute path, name relative to the current folder for messages, and root of its repository.

    ``whole``: whether the run takes every cluster.yaml of that repository.
    """

    path: str
    file: str
    root: str
    whole: bool = False


def find(names: Sequence[str]) -> list[Input]:
    """The files that the arguments name, each once, sorted by path; without arguments the cluster.yaml here.

    A folder stands for every cluster.yaml, *.cluster.yaml and *.okgen.yaml below it, and the okgen.yaml of a repository
    for all below its own; ``.git`` and symbolic links to folders are not entered. Raises Unable, naming every argument
    that is missing, unreadable or an empty folder, and every symbolic link that leads out of its repository: the
    excerpts in messages would show what it leads to.
    """
    try:
        here = os.getcwd()
    except OSError:
        raise Unable("the current folder is gone") from None
    found: dict[str, str] = {}  # by real path, so that a file named twice counts once
    folders: dict[str, str] = {}
    faults = []
    for name in sorted(set(names)) or [DEFAULT]:
        try:
            for path in _named(name):
                _keep(found, _absolute(here, path), folders)
        except (OSError, ValueError) as error:
            faults.append(f"{harmless(getattr(error, 'filename', None) or name)}: {reason(error)}")
        except Unable as unable:
            faults.append(f"{harmless(name)}: {unable}")
    if faults:
        hint = "" if names else "; `okgen init` writes one"
        raise Unable("\n".join(faults) + hint)
    roots: dict[str, str] = {}
    given = [_absolute(here, _folder(name)) for name in names if os.path.isdir(_folder(name))]
    inputs = [Input(path, os.path.relpath(path, here), _root(path, roots)) for path in sorted(found.values())]
    whole = {root for root in roots.values() if any(os.path.commonpath([each, root]) == each for each in given)}
    inputs = [each._replace(whole=each.root in whole) for each in inputs]
    strays = [each.file for each in inputs if each.path not in found and _leads_out(each)]
    if strays:
        raise Unable(
            "\n".join(f"{harmless(file)}: a symbolic link that leads out of its repository" for file in strays)
        )
    return inputs


def _leads_out(each: Input) -> bool:
    root = os.path.realpath(each.root)
    return os.path.commonpath([root, os.path.realpath(each.path)]) != root


def kind(mode: int) -> str:
    """What stands where a file should: "a named pipe"; "" for a file. ``mode`` is that of ``os.stat``."""
    return next((name for matches, name in _KINDS if matches(mode)), "")


def reason(error: Exception) -> str:
    """Why the system did not open a file, in a few words."""
    number = getattr(error, "errno", None)
    text = str(getattr(error, "strerror", None) or error)
    return _REASONS.get(number or 0) or text[:1].lower() + text[1:]


def _named(name: str) -> Iterator[str]:
    """The files one argument stands for. Raises OSError, ValueError, Unable."""
    mode = os.stat(name).st_mode
    name = _folder(name)
    if not stat.S_ISDIR(os.stat(name).st_mode):
        if kind(mode):
            raise Unable(f"{kind(mode)}, not a file")
        if not os.access(name, os.R_OK):
            raise Unable(_REASONS[errno.EACCES])
        yield name
        return
    inside = list(below(name))
    if not inside:
        raise Unable(f"no {DEFAULT}, *.cluster.yaml or *.okgen.yaml in this folder or below")
    yield from inside


def _folder(name: str) -> str:
    """What an argument stands for: the repository, for its okgen.yaml, which holds for every cluster in it."""
    folder, file = os.path.split(os.path.abspath(name))
    if file != SETTINGS or os.path.isdir(name) or not os.path.lexists(os.path.join(folder, ".git")):
        return name
    return os.path.dirname(name) or os.curdir


def below(folder: str) -> Iterator[str]:
    """The input files in a folder and below, as ``find`` takes them. Raises OSError."""
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        pending.append(entry.path)
                elif is_cluster(entry.name) and not entry.is_dir():
                    yield entry.path


def is_cluster(name: str) -> bool:
    """Whether a file of that name counts as an input in a folder."""
    # A leading dot: what editors leave beside a file they have open.
    return name == DEFAULT or (name.endswith(_SUFFIXES) and not name.startswith("."))


def _absolute(here: str, path: str) -> str:
    """Without "." and "..", where "link/.." is the parent of what the link leads to, as for the system."""
    folder, name = os.path.split(os.path.join(here, path))
    if os.pardir in folder.split(os.sep):
        folder = os.path.realpath(folder)
    return os.path.normpath(os.path.join(folder, name))


def _keep(found: dict[str, str], path: str, folders: dict[str, str]) -> None:
    """Of several names of one file the one that is no symbolic link counts, else the first in order."""
    real = _real(path, folders)
    found[real] = min(path, found.get(real, path), key=lambda each: (each != real, each))


def _real(path: str, folders: dict[str, str]) -> str:
    """The path without symbolic links; folders that are known already are not looked at again."""
    above = os.path.dirname(path)
    if above == path:
        return path
    if above not in folders:
        folders[above] = _real(above, folders)
    place = os.path.join(folders[above], os.path.basename(path))
    return os.path.realpath(place) if os.path.islink(place) else place


def _root(path: str, known: dict[str, str]) -> str:
    """The root of the repository that a file is in, else the file's own folder."""
    own = os.path.dirname(path)
    if own not in known:
        known[own] = root_of(own) or own
    return known[own]
