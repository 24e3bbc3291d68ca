"""Files that are too large, too deep or no files at all are refused without work, and without waiting."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from okgen.problem import Unable
from okgen.read import source
from okgen.read.source import Misread
from test_source import FILE, parse, refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMITS = {
    "size": ("#" * source.MOST_BYTES + "#", "1:1 OKG113  the file is larger than 1 MiB"),
    "list": ("[" * 1000, "1:101 OKG113"),
    "mapping": ("{" * 1000, "1:101 OKG113"),
    "dashes": ("- " * 1000, "1:201 OKG113"),
    "question marks": ("? " * 1000, "1:201 OKG113"),
    "block": ("".join(" " * n + "a:\n" for n in range(1000)), "101:101 OKG113"),
    "aliases deep": (
        "- &a0 [x]\n" + "".join(f"- &a{n} [*a{n - 1}]\n" for n in range(1, 200)),
        "100:9 OKG113",
    ),
    "values": ("- a\n" * 100_000, "99999:3 OKG113"),
    "keys": ("".join(f"k{n}: a\n" for n in range(60_000)), "50000:1 OKG113"),
    "documents": ("---\n" * 100_001, "100001:1 OKG113"),
    "bomb": (
        "- &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)),
        "5:43 OKG113",
    ),
    "merged": (
        "- &a0 {b: c}\n" + "".join(f"- &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9)),
        "6:18 OKG113",
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits(name: str) -> None:
    text, start = LIMITS[name]

    problems = refused(text)

    assert len(problems) == 1
    assert problems[0].startswith(start)
    assert len(problems[0]) < 250


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100 + "]" * 100,
        "".join(" " * n + "a:\n" for n in range(99)),
        "- &a0 [x]\n" + "".join(f"- &a{n} [*a{n - 1}]\n" for n in range(1, 99)),
        "- &a0 {a0: x}\n" + "".join(f"- &a{n} {{<<: *a{n - 1}, a{n}: x}}\n" for n in range(1, 150)),
        "- a\n" * 99_997,
        "a: " + "b" * (source.MOST_BYTES - 3),
    ],
    ids=["list", "block", "aliases", "merged", "values", "size"],
)
def test_within_limits(text: str) -> None:
    assert parse(text).data is not None


@pytest.mark.parametrize("line", ["- *x\n", "- yes\n", "- !x y\n"])
def test_a_hundred_problems_are_enough(line: str) -> None:
    assert len(refused(line * 50_000)) == 100


def test_the_deepest_file_needs_little_stack() -> None:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            parse("[" * 100 + "]" * 100)
        except BaseException as error:  # noqa: BLE001 - a thread swallows them
            failed.append(error)

    threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(0)
    assert failed == []


def test_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: b\n")

    document = source.read(str(tmp_path / "a.yaml"), "shown.yaml")

    assert (document.file, document.text, document.data) == ("shown.yaml", "a: b\n", {"a": "b"})


def test_read_too_large(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"#" * (source.MOST_BYTES + 1))
    (tmp_path / "b.yaml").write_bytes(b"#" * (source.MOST_BYTES - 2) + b"\na")
    with (tmp_path / "c.yaml").open("wb") as sparse:
        sparse.truncate(2**40)

    for name in ("a.yaml", "c.yaml"):
        with pytest.raises(Misread, match="larger than 1 MiB"):
            source.read(str(tmp_path / name), FILE)
    assert source.read(str(tmp_path / "b.yaml"), FILE).data == "a"


def special_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and what a message calls it."""
    os.mkfifo(folder / "pipe")
    yield str(folder / "pipe"), "a named pipe, not a file"
    yield str(folder), "a folder, not a file"
    yield os.devnull, "a device, not a file"
    yield str(folder / "missing"), "no such file or folder"
    yield str(folder / "pipe" / "a"), "not a directory"
    yield str(folder / ("n" * 300)), "file name too long"
    yield "a\0b", "embedded null byte"


def test_special_files_do_not_hang(tmp_path: Path) -> None:
    for path, reason in special_files(tmp_path):
        with pytest.raises(Unable) as caught:
            source.read(path, "shown\x1b.yaml")
        assert str(caught.value) == f"shown\\x1b.yaml: {reason}"


def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(Unable, match=r"cluster.yaml: .*socket.*, not a file"):
            source.read("s", FILE)
