"""Makes the folder of a cluster that has none: whole, beside its place, and then moved there in one step."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from okgen.problem import Refused, Unable
from okgen.write import index
from okgen.write.folders import OPEN, READ, Folders, enter, kind_of, lock, naming
from okgen.write.plan import FILE, FOLDER
from okgen.write.stage import write

if TYPE_CHECKING:
    from okgen.write.plan import Plan

_PREFIX = ".okgen.tmp."  # no cluster's name starts with a dot
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


def is_left(top: int, folder: str) -> bool:
    """Whether a killed run left its work beside a cluster's folder, which is open. Raises OSError."""
    beside = os.path.join(os.pardir, _beside(folder))
    if kind_of(top, beside) != FOLDER:
        return False
    here = os.open(beside, OPEN, dir_fd=top)
    try:
        return os.listdir(here) in ([], [index.NAME]) or kind_of(here, index.NAME) == FILE
    finally:
        os.close(here)


def clear_beside(top: int, folder: str) -> None:
    """Removes what a killed run left beside a cluster's folder, which is open. Raises Unable."""
    beside = os.path.join(os.pardir, _beside(folder))
    with naming("remove", os.path.join(os.path.dirname(folder), _beside(folder))):
        if kind_of(top, beside) != FOLDER:
            return  # nearly always
        here = os.open(beside, OPEN, dir_fd=top)
        try:
            _clear(here)
        finally:
            os.close(here)
        _remove(beside, top)


class Creation:
    """A plan for a folder that is not there. What is beside it is locked until ``close``.

    The index is written first, so that whoever finds the work of a killed run knows what in it is okgen's.
    All of it raises Unable when the system refuses, another okgen is at work there, or a folder is there by now.
    """

    def __init__(self, plan: Plan) -> None:
        self.folder = plan.folder
        self._plan = plan
        self._name = os.path.basename(os.path.normpath(plan.folder))
        self._parent_path = os.path.dirname(os.path.normpath(plan.folder)) or os.curdir
        parent = enter(self._parent_path, plan.root, make=True)
        assert parent is not None, "it was made"
        self._parent = parent
        self._beside = _beside(plan.folder)
        self._folders: Folders | None = None

    @classmethod
    def suits(cls, plan: Plan) -> bool:
        """Whether there is no folder, but one in which it may be made."""
        place = os.path.normpath(plan.folder)
        return not os.path.lexists(place) and os.path.normpath(plan.root) != place

    @property
    def descriptor(self) -> int:
        """Of the folder around."""
        return self._parent

    def prepare(self, *, sync: bool) -> None:
        """Writes the whole folder beside its place; ``sync``: each file is on the disk then."""
        place = os.path.join(self._parent_path, self._beside)
        with naming("write", place):
            is_new = kind_of(self._parent, self._beside) is None
            if is_new:
                os.mkdir(self._beside, dir_fd=self._parent, mode=0o755)
            here = os.open(self._beside, OPEN, dir_fd=self._parent)
        try:
            self._claim(here, place, is_new=is_new)
            with naming("remove", place):
                _clear(here)
        except BaseException:
            os.close(here)
            raise
        self._folders = Folders(here)
        if os.listdir(here):
            raise Unable(f"{os.path.relpath(place)} is in the way: it holds what okgen did not write")
        self._write(here, sync=sync)
        self._folders.release()

    def _claim(self, here: int, place: str, *, is_new: bool) -> None:
        """Locks the folder. Another run may have been first: what is locked then is the cluster's folder, or gone."""
        if not lock(here, fcntl.LOCK_EX, self.folder) and not is_new:
            raise Unable(f"{os.path.relpath(place)} is in the way: remove it unless another okgen is at work")
        try:
            is_same = os.path.samestat(os.stat(self._beside, dir_fd=self._parent), os.fstat(here))
        except FileNotFoundError:
            is_same = False
        if not is_same or kind_of(self._parent, self._name) is not None:
            raise _changed(self.folder)

    def _write(self, here: int, *, sync: bool) -> None:
        assert self._folders is not None, "it is prepared"
        assert self._plan.final is not None, "a folder without an index is not finished"
        with naming("write", self.folder) as place:
            place.name = index.NAME
            write(here, index.NAME, self._plan.final, sync=sync)
            for path, data in self._plan.files.items():
                place.name = path
                parent, _, name = path.rpartition("/")
                write(self._folders.make(parent), name, data, sync=sync)

    def finish(self) -> None:
        """Moves the folder to its place."""
        with naming("write", self.folder):
            try:
                os.rename(self._beside, self._name, src_dir_fd=self._parent, dst_dir_fd=self._parent)
            except OSError as error:
                if error.errno in _TAKEN:
                    raise _changed(self.folder) from None
                raise
        if self._folders is not None:
            self._folders.close()
            self._folders = None

    def close(self) -> None:
        """Removes what was written and not moved."""
        try:
            if self._folders is not None:
                self._folders.release()
                with naming("remove", os.path.join(self._parent_path, self._beside)):
                    top = self._folders.make("")
                    _clear(top)
                _remove(self._beside, self._parent)
                self._folders.close()
        finally:
            os.close(self._parent)


def _beside(folder: str) -> str:
    return _PREFIX + os.path.basename(os.path.normpath(folder))


def _changed(folder: str) -> Unable:
    return Unable(f"{os.path.relpath(folder)} changed while okgen was at work: run it again")


def _clear(here: int) -> None:
    """Removes what the index in an open folder lists, and last the index. Raises OSError."""
    if kind_of(here, index.NAME) != FILE:
        return
    with open(os.open(index.NAME, READ, dir_fd=here), "rb") as stream:
        try:
            paths = list(index.parse(stream.read(index.MOST_BYTES + 1), index.NAME).files)
        except Refused:
            paths = []  # the run was killed while it wrote the index, and had written nothing else
    folders = Folders(os.dup(here))
    try:
        for path in paths:
            _unlink(folders, path)
        above_all = {path[:end] for path in paths for end in range(len(path)) if path[end] == "/"}
        for folder in sorted(above_all, key=lambda each: each.count("/"), reverse=True):
            folders.remove(folder)
    finally:
        folders.close()
    os.unlink(index.NAME, dir_fd=here)


def _unlink(folders: Folders, path: str) -> None:
    """Removes a file if it is there."""
    parent, _, name = path.rpartition("/")
    try:
        above = folders.find(parent)
        if above is not None and kind_of(above, name) == FILE:
            os.unlink(name, dir_fd=above)
    except OSError:
        return  # its name is too long, say; what can only be left keeps the folder


def _remove(name: str, above: int) -> None:
    """Removes a folder if it is empty."""
    try:
        os.rmdir(name, dir_fd=above)
    except OSError:
        return  # it holds what okgen did not write
