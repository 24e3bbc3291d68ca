"""Changes the folder of a cluster that is there already, file by file and in an order that a kill does no harm to."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from okgen.problem import Unable
from okgen.write import creation, index, look
from okgen.write.folders import Folders, enter, lock, naming
from okgen.write.stage import Stage

if TYPE_CHECKING:
    from okgen.write.plan import Plan

_BEFORE, _PENDING = "/before", "/pending"  # no paths of a tree


class Update:
    """A plan for a folder that is made if need be, and locked until ``close``.

    All of it raises Unable when the system refuses, another okgen is at work there, or the folder is not any more what
    the plan was made for.
    """

    def __init__(self, plan: Plan) -> None:
        self.folder = plan.folder
        self._plan = plan
        top = enter(plan.folder, plan.root, make=True)
        assert top is not None, "it was made"
        self._top = top
        self._folders = Folders(top)
        self._stage: Stage | None = None

    @property
    def descriptor(self) -> int:
        """Of the folder."""
        return self._top

    def prepare(self, *, sync: bool) -> None:
        """Writes the new files beside their places; ``sync``: each is on the disk then."""
        plan = self._plan
        lock(self._top, fcntl.LOCK_EX, plan.folder)
        _check_unchanged(plan, self._folders, self._top)
        creation.clear_beside(self._top, plan.folder)
        self._stage = Stage(self._top, plan.folder)
        self._stage.clear()
        if plan.final is not None:
            indexes = {_BEFORE: plan.recorded, _PENDING: plan.pending, index.NAME: plan.final}
            found = {path: data for path, data in indexes.items() if data is not None}
            self._stage.put({**plan.files, **found}, sync=sync)
        self._folders.release()

    def finish(self) -> None:
        """Brings the tree from the index that is there to the pending one, and to the final one."""
        assert self._stage is not None, "it is prepared"
        if self._plan.final is not None:
            _announce(self._plan, self._folders, self._stage)
            _change(self._plan, self._folders, self._stage)

    def close(self) -> None:
        """Removes what was written and not moved, and lets go of the folder."""
        try:
            if self._stage is not None:
                self._stage.close()
        finally:
            self._folders.close()


def _check_unchanged(plan: Plan, folders: Folders, top: int) -> None:
    """Makes sure that what the plan was made for is still there: an edit in between must not be lost."""
    changed = "changed while okgen was at work: run it again"
    if look.recorded_in(top, plan.folder) != plan.recorded:
        raise Unable(f"{os.path.relpath(os.path.join(plan.folder, index.NAME))} {changed}")
    if not plan.before and not os.listdir(top):
        return  # a new folder
    places = dict.fromkeys((*plan.files, *plan.delete))
    found = look.found_in(folders, places, {}, plan.folder)
    for path in places:
        if found.get(path) != plan.before.get(path):
            raise Unable(f"{os.path.relpath(os.path.join(plan.folder, path))} {changed}")


def _announce(plan: Plan, folders: Folders, staged: Stage) -> None:
    """Puts the pending index into place and makes the new folders: what can fail for want of space or rights.

    If it does, all is as before.
    """
    folder_of = {path.rpartition("/")[0]: path for path in (*plan.delete, *plan.files)}
    if plan.pending is not None:
        staged.move(folders, {_PENDING: index.NAME})
    try:
        for folder, path in folder_of.items():
            if any(f"{folder}/".startswith(f"{gone}/") for gone in plan.delete):
                continue  # a file is there now, and goes
            with naming("write", os.path.join(plan.folder, path)):
                folders.check_writable(folder)
    except BaseException:
        for made in reversed(folders.made):
            folders.remove(made)
        if plan.recorded is not None:
            staged.move(folders, {_BEFORE: index.NAME})
        else:
            os.unlink(index.NAME, dir_fd=folders.make(""))
        raise


def _change(plan: Plan, folders: Folders, staged: Stage) -> None:
    """Brings the tree from the pending index to the final one."""
    for path in plan.delete:
        with naming("delete", os.path.join(plan.folder, path)):
            parent, _, name = path.rpartition("/")
            os.unlink(name, dir_fd=folders.make(parent))
    for folder in plan.emptied:
        folders.remove(folder)
    staged.move(folders, {path: path for path in (*plan.files, index.NAME)})
