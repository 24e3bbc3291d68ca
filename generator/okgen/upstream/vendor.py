"""Keeps pinned upstream files in the repository: fetches what is missing, judges what is there."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from okgen.problem import Unable
from okgen.render.kustomize import kustomization
from okgen.upstream import SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from okgen.progress import Lines
    from okgen.upstream.fetch import Fetcher

KUSTOMIZATION = "kustomization.yaml"
PRESENT, FETCHED, RESTORED, FAILED = "up to date", "fetched", "restored", "failed"

_TEMPORARY = ".okgen-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


class Source(NamedTuple):
    """A pinned upstream file: ``file`` is its name here, ``sha256`` (64 hexadecimal digits) its only right content."""

    system: str
    version: str
    file: str
    url: str
    sha256: str


class Outcome(NamedTuple):
    """What became of one folder, ``<system>/<version>``.

    ``state`` is one of ``up to date``, ``fetched``, ``restored`` (files had been altered or were gone) and ``failed``;
    ``exit`` is 0, 1 (what came is not what is pinned) or 2 (it could not be had or written); ``messages`` are lines.
    """

    place: str
    state: str
    exit: int
    messages: tuple[str, ...]


def vendor(
    wanted: Iterable[Source], folder: str, mirrors: Mapping[str, str], progress: Lines, fetcher: Fetcher
) -> list[Outcome]:
    """Brings ``<folder>/<system>/<version>/`` up to date for every source, each a Kustomize folder; all are tried.

    A folder changes only when all of its files are here and have the pinned hashes: a new one appears at once under
    its name, in an old one each wrong file is replaced at once. A file that was altered gets its pinned bytes back,
    and the outcome says so: who wants other content pins other content. Files okgen does not know stay, as do folders
    of versions that no cluster wants any more. Raises Unable for a CA file that is none.
    """
    return [
        _bring(sources, os.path.join(folder, *key), "/".join(key), folder, _Way(mirrors, progress, fetcher))
        for key, sources in _folders(wanted).items()
    ]


def check_vendored(wanted: Iterable[Source], folder: str) -> list[str]:
    """What is wrong with the vendored files, one line each; empty when ``okgen vendor`` would fetch nothing.

    ``folder`` as it shall be named in the lines.
    """
    found = []
    for key, sources in _folders(wanted).items():
        path = os.path.join(folder, *key)
        try:
            wrong = _wrong(path, sources, folder)
            if wrong and not os.path.lexists(path):
                wrong = {"": "is missing"}
            found += [f"{os.path.join(path, name)} {what}" for name, what in wrong.items()]
        except OSError as error:
            found.append(_line(error, path))
    return found


def summary(outcomes: Iterable[Outcome]) -> str:
    """How many folders came to which state: ``2 fetched, 1 up to date``."""
    states = [each.state for each in outcomes]
    return ", ".join(
        f"{states.count(state)} {state}" for state in (FETCHED, RESTORED, PRESENT, FAILED) if state in states
    )


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """The exit code of the run: 1 wins over 2, as what is wrong must not pass for something to try again."""
    codes = {each.exit for each in outcomes}
    return 1 if 1 in codes else max(codes, default=0)


def parse_mirrors(texts: Iterable[str]) -> dict[str, str]:
    """``PREFIX=URL`` as given on the command line; a PREFIX without ``https://`` means it. Raises Unable."""
    from urllib.parse import urlsplit

    found = {}
    for text in texts:
        prefix, _, target = text.partition("=")
        try:
            right = bool(prefix) and urlsplit(target).scheme == "https" and bool(urlsplit(target).hostname)
        except ValueError:
            right = False
        if not right:
            message = "--mirror wants PREFIX=URL, as in https://github.com/=https://mirror.example.com/github/"
            raise Unable(message)
        found[prefix if "://" in prefix else f"https://{prefix}"] = target
    return found


def mirrored(url: str, mirrors: Mapping[str, str]) -> str:
    """The URL with its longest prefix replaced. A prefix is whole parts of a path: ``/a`` is none of ``/ab``."""
    fitting = [each for each in mirrors if f"{url}/".startswith(f"{each.rstrip('/')}/")]
    if not fitting:
        return url
    prefix = max(fitting, key=len)
    return mirrors[prefix].rstrip("/") + url[len(prefix.rstrip("/")) :]


class _Way(NamedTuple):
    """How files come here."""

    mirrors: Mapping[str, str]
    progress: Lines
    fetcher: Fetcher


def _folders(wanted: Iterable[Source]) -> dict[tuple[str, str], list[Source]]:
    """The sources of each folder, each once, in their order. Raises ValueError where add-ons contradict themselves."""
    found: dict[tuple[str, str], dict[str, Source]] = {}
    for source in wanted:
        names = (source.system, source.version, source.file)
        if not all(_NAME.fullmatch(name) for name in names) or source.file == KUSTOMIZATION:
            message = f"not a plain name: {'/'.join(names)}"
            raise ValueError(message)
        files = found.setdefault((source.system, source.version), {})
        if files.setdefault(source.file, source) != source:
            message = f"pinned twice, and differently: {'/'.join(names)}"
            raise ValueError(message)
    return {key: list(files.values()) for key, files in found.items()}


def _listing(sources: Sequence[Source]) -> bytes:
    return kustomization(tuple(source.file for source in sources)).encode()


def _wrong(path: str, sources: Sequence[Source], folder: str) -> dict[str, str]:
    """The files that are not as they must be, and how. Raises OSError for links and for what cannot be read."""
    import hashlib  # only clusters that vendor come here

    for part in (folder, os.path.dirname(path), path):
        if os.path.islink(part):
            raise OSError(0, "is a symbolic link, which okgen does not follow; remove it", part)
    pins = {source.file: source.sha256.lower() for source in sources}
    pins[KUSTOMIZATION] = hashlib.sha256(_listing(sources)).hexdigest()
    found = {}
    for name, pin in pins.items():
        digest = _digest(os.path.join(path, name))
        if digest != pin:
            found[name] = "has been altered" if digest else "is missing"
    return found


def _digest(path: str) -> str:
    """The SHA-256 of a regular file; "" for none, "too long" for one that nothing was fetched into.

    Raises OSError for anything else there.
    """
    import hashlib

    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return ""
    if not stat.S_ISREG(status.st_mode):
        what = "a symbolic link, which okgen does not follow" if stat.S_ISLNK(status.st_mode) else "no regular file"
        raise OSError(0, f"is {what}; remove it", path)
    if status.st_size > SIZE:
        return "too long"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _bring(sources: Sequence[Source], path: str, place: str, folder: str, way: _Way) -> Outcome:
    """Makes one folder right, or leaves it as it is."""
    try:
        wrong = _wrong(path, sources, folder)
        _sweep(os.path.dirname(path))
        if not wrong:
            return Outcome(place, PRESENT, 0, ())
        contents, failures = _contents([source for source in sources if source.file in wrong], way)
        if failures:
            return Outcome(place, FAILED, min(code for code, _ in failures), tuple(line for _, line in failures))
        if KUSTOMIZATION in wrong:
            contents[KUSTOMIZATION] = _listing(sources)
        known = os.path.isdir(path)
        _land(path, contents)
    except OSError as error:
        return Outcome(place, FAILED, 2, (_line(error, path),))
    altered = [os.path.join(path, name) for name, what in wrong.items() if what == "has been altered"]
    messages = tuple(f"{each} had been altered; its pinned content is back" for each in altered)
    return Outcome(place, RESTORED if known else FETCHED, 0, messages)


def _line(error: OSError, path: str) -> str:
    return f"{error.filename2 or error.filename or path}: {error.strerror or error}"


def _contents(sources: Iterable[Source], way: _Way) -> tuple[dict[str, bytes], list[tuple[int, str]]]:
    """The bytes by file name, and of each failure its exit code and line."""
    from okgen.progress import amount
    from okgen.upstream.fetch import Failed, shown

    contents: dict[str, bytes] = {}
    failures = []
    for source in sources:
        name = f"{source.system} {source.version} {source.file}"
        url = mirrored(source.url, way.mirrors)
        way.progress.start(name)
        try:
            contents[source.file] = way.fetcher.fetch(url, source.sha256, way.progress.advance)
        except Failed as failed:
            failures.append((1 if failed.wrong else 2, str(failed)))
            way.progress.finish(f"{name}: failed")
        except KeyboardInterrupt:
            way.progress.finish(f"{name}: stopped")
            raise
        else:
            way.progress.finish(f"{name}: {amount(len(contents[source.file]))} from {shown(url)}")
    return contents, failures


def _land(path: str, contents: Mapping[str, bytes]) -> None:
    """Puts files into a folder such that none is ever seen half written, and a new folder only whole."""
    import shutil

    parent = os.path.dirname(path)
    temporary = os.path.join(parent, f"{_TEMPORARY}{os.getpid()}")
    os.makedirs(temporary)
    try:
        with _locked(temporary, surely=False):
            for name, content in contents.items():
                with open(os.path.join(temporary, name), "xb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())  # a full disk shows here at the latest
            if os.path.isdir(path):
                for name in contents:
                    os.replace(os.path.join(temporary, name), os.path.join(path, name))
            else:
                os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(parent: str) -> None:
    """Removes what killed runs have left: temporary folders that nobody holds locked."""
    import shutil

    if not os.path.isdir(parent):
        return
    for name in os.listdir(parent):
        if name.startswith(_TEMPORARY):
            try:
                with _locked(os.path.join(parent, name), surely=True):
                    shutil.rmtree(os.path.join(parent, name))
            except OSError:
                continue  # another run is writing there, or has just finished


@contextlib.contextmanager
def _locked(path: str, *, surely: bool) -> Iterator[None]:
    """Holds a folder against other runs; the lock goes with the process. Raises OSError.

    ``surely``: also when the lock cannot be had, be it for another run or for a file system that knows no locks.
    """
    import fcntl

    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with contextlib.suppress(*() if surely else (OSError,)):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)
