"""What a plan does with each thing that can be found in a place. No disk is involved."""

from __future__ import annotations

import json
from typing import Any

import pytest

from okgen import __version__
from okgen.write import index, plan
from okgen.write.plan import Conflict, Plan, Snapshot

NEW, OLD, OTHER, KILLED = (index.digest(text) for text in (b"new\n", b"old\n", b"other\n", b"killed\n"))


def snapshot(
    wanted: list[str],
    found: dict[str, str] | None = None,
    files: dict[str, str] | None = None,
    pending: dict[str, str] | None = None,
    **more: Any,
) -> Snapshot:
    """A snapshot for files that are all to hold "new"; an index is there when it lists anything."""
    known = index.Index(__version__ if files or pending else "", files or {}, pending or {})
    recorded = index.text(known) if files or pending else None
    taken = Snapshot(
        folder="out/demo",
        root="out",
        known=known,
        recorded=recorded,
        wanted=dict.fromkeys(wanted, NEW),
        found=found or {},
        blocked={},
        replaceable=frozenset(),
        leftover=False,
    )
    return taken._replace(**more)


def made(taken: Snapshot, *, force: bool = False) -> Plan:
    return plan.make(dict.fromkeys(taken.wanted, "new\n"), taken, force=force)


def changes(todo: Plan) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], list[str]]:
    return todo.create, todo.update, todo.delete, [f"{path}: {kind}" for path, kind in todo.conflicts]


NONE: tuple[str, ...] = ()
A = ("a",)

# What is found at "a", what the index says of it, what a killed run was to write; what is done, what with force.
WANTED = [
    (None, None, None, "create", "create"),
    (None, OLD, None, "create", "create"),
    (None, None, KILLED, "create", "create"),
    (NEW, NEW, None, "", ""),
    (NEW, OLD, None, "", ""),
    (NEW, None, None, "", ""),  # taken over
    (NEW, OLD, KILLED, "", ""),
    (OLD, OLD, None, "update", "update"),
    (OLD, OLD, KILLED, "update", "update"),
    (KILLED, OLD, KILLED, "update", "update"),
    (KILLED, None, KILLED, "update", "update"),
    (OTHER, OLD, None, plan.EDITED, "update"),
    (OTHER, NEW, None, plan.EDITED, "update"),
    (OTHER, OLD, KILLED, plan.EDITED, "update"),
    (OTHER, None, KILLED, plan.IN_THE_WAY, "update"),
    (OTHER, None, None, plan.IN_THE_WAY, "update"),
    (plan.SYMLINK, OLD, None, plan.SYMLINK, plan.SYMLINK),
    (plan.SYMLINK, None, None, plan.SYMLINK, plan.SYMLINK),
    (plan.FOLDER, OLD, None, plan.NOT_A_FILE, plan.NOT_A_FILE),
    (plan.SPECIAL, None, None, plan.NOT_A_FILE, plan.NOT_A_FILE),
]
DROPPED = [
    (None, OLD, None, "", ""),
    (OLD, OLD, None, "delete", "delete"),
    (KILLED, OLD, KILLED, "delete", "delete"),
    (OLD, OLD, KILLED, "delete", "delete"),
    (KILLED, None, KILLED, "delete", "delete"),
    (OTHER, OLD, None, plan.EDITED, "delete"),
    (OTHER, OLD, KILLED, plan.EDITED, "delete"),
    (OTHER, None, KILLED, "", ""),  # the killed run did not come to it, and now it is someone else's
    (OTHER, None, None, "", ""),
    (plan.SYMLINK, OLD, None, plan.SYMLINK, plan.SYMLINK),
    (plan.SYMLINK, None, KILLED, "", ""),
    (plan.SPECIAL, OLD, None, plan.NOT_A_FILE, plan.NOT_A_FILE),
    (plan.FOLDER, OLD, None, "", ""),
]


def expected(what: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], list[str]]:
    done = [A if what == verb else NONE for verb in ("create", "update", "delete")]
    return done[0], done[1], done[2], [] if what in ("", "create", "update", "delete") else [f"a: {what}"]


@pytest.mark.parametrize(("found", "listed", "pending", "plain", "forced"), WANTED)
def test_file_to_be(found: str | None, listed: str | None, pending: str | None, plain: str, forced: str) -> None:
    taken = snapshot(
        ["a"], {"a": found} if found else {}, {"a": listed} if listed else {}, {"a": pending} if pending else {}
    )
    for force, what in ((False, plain), (True, forced)):
        todo = made(taken, force=force)
        assert changes(todo) == expected(what)
        assert todo.files == ({"a": b"new\n"} if what in ("create", "update") else {})
        assert todo.before == ({"a": found} if what == "update" else {})
        assert todo.unchanged == (what == "")
        assert todo.is_empty == (what == "" and listed == NEW and not pending)


@pytest.mark.parametrize(("found", "listed", "pending", "plain", "forced"), DROPPED)
def test_file_no_longer_wanted(
    found: str | None, listed: str | None, pending: str | None, plain: str, forced: str
) -> None:
    taken = snapshot(
        [], {"a": found} if found else {}, {"a": listed} if listed else {}, {"a": pending} if pending else {}
    )
    for force, what in ((False, plain), (True, forced)):
        todo = made(taken, force=force)
        assert changes(todo) == expected(what)
        assert todo.before == ({"a": found} if what == "delete" else {})


def test_nothing_to_do() -> None:
    todo = made(snapshot(["a", "b"], {"a": NEW, "b": NEW}, {"a": NEW, "b": NEW}))
    assert todo.is_empty
    assert todo.unchanged == 2
    assert (todo.pending, todo.final, todo.files) == (None, None, {})
    assert plan.drift(todo) == []


@pytest.mark.parametrize(
    "files",
    [
        {},  # lost
        {"a": OLD, "b": NEW},  # the file was put right by hand
        {"b": NEW},
        {"a": NEW, "b": NEW, "gone": OLD},
    ],
)
def test_only_the_index_is_behind(files: dict[str, str]) -> None:
    todo = made(snapshot(["a", "b"], {"a": NEW, "b": NEW}, files))
    assert not todo.is_empty
    assert todo.pending is None
    assert todo.final == index.text(index.Index(__version__, {"a": NEW, "b": NEW}, {}))
    assert plan.drift(todo) == [(index.NAME, plan.STALE if files else plan.MISSING)]


def test_index_of_a_killed_run_is_put_right() -> None:
    todo = made(snapshot(["a"], {"a": NEW}, {"a": OLD}, {"a": NEW}))
    assert todo.final is not None
    assert plan.drift(todo) == [(index.NAME, plan.STALE)]


def test_leftover_of_a_killed_run_is_no_drift() -> None:
    todo = made(snapshot(["a"], {"a": NEW}, {"a": NEW}, leftover=True))
    assert not todo.is_empty
    assert todo.final is None
    assert plan.drift(todo) == []


def test_paths_are_sorted() -> None:
    wanted = ["d", "b/x", "b", "a"]
    found = {"d": OLD, "b/x": OTHER, "y": OLD, "x": OLD, "b": OLD}
    todo = made(
        snapshot(["d", "c", "a", "e"], {**found, "e": OLD}, dict.fromkeys([*wanted, "y", "x", "e"], OLD)), force=True
    )
    assert todo.create == ("a", "c")
    assert todo.update == ("d", "e")
    assert todo.delete == ("b", "b/x", "x", "y")
    assert list(todo.files) == ["a", "c", "d", "e"]


def pending(todo: Plan) -> dict[str, Any]:
    assert todo.pending is not None
    read: dict[str, Any] = json.loads(todo.pending)
    return read


def test_index_while_files_change() -> None:
    """Whatever the run is killed at, the bytes in each place are those of ``files`` or of ``pending``."""
    found = {
        "updated": OLD,
        "resumed": KILLED,
        "same": NEW,
        "taken": NEW,
        "deleted": OLD,
        "half": KILLED,
        "edited": OTHER,
    }
    files = {"updated": OLD, "resumed": OLD, "same": NEW, "deleted": OLD, "missing": OLD, "edited": OLD}
    taken = snapshot(
        ["updated", "resumed", "same", "taken", "missing", "edited", "way"],
        {**found, "way": OTHER},
        files,
        {"resumed": KILLED, "half": KILLED, "never": KILLED},
    )
    todo = made(taken, force=True)
    assert todo.update == ("edited", "resumed", "updated", "way")
    assert pending(todo) == {
        "version": 1,
        "okgen": __version__,
        "files": {
            "updated": OLD,
            "resumed": KILLED,
            "same": NEW,
            "taken": NEW,
            "deleted": OLD,
            "half": KILLED,
            "missing": OLD,
            "edited": OLD,
        },
        "pending": {"never": KILLED, **dict.fromkeys(["updated", "resumed", "missing", "edited", "way"], NEW)},
    }
    assert todo.final == index.text(index.Index(__version__, taken.wanted, {}))


def test_index_while_files_change_names_who_rendered_them() -> None:
    taken = snapshot(["a"], {"a": OLD}, {"a": OLD})
    assert pending(made(taken._replace(known=taken.known._replace(okgen="0.0.9"))))["okgen"] == "0.0.9"
    assert pending(made(snapshot(["a"])))["okgen"] == __version__


def test_deleting_alone_is_announced_too() -> None:
    todo = made(snapshot([], {"a": OLD}, {"a": OLD}))
    assert pending(todo)["files"] == {"a": OLD}
    assert "pending" not in pending(todo)


def test_folders_that_lose_their_files() -> None:
    files = dict.fromkeys(["a/b/c/1", "a/b/2", "a/3", "d/4", "e/f/5", "6", "g/7"], OLD)
    found = dict.fromkeys([path for path in files if path != "g/7"], OLD)
    todo = made(snapshot(["a/3", "d/new", "e/x"], found, files))
    assert todo.emptied == ("a/b/c", "a/b", "e/f", "g")
    assert made(snapshot([], {}, {}, {"h/i/8": KILLED})).emptied == ("h/i", "h")


@pytest.mark.parametrize(("kind", "conflict"), [(plan.FILE, plan.NOT_A_FOLDER), (plan.SPECIAL, plan.NOT_A_FOLDER)])
def test_something_where_a_folder_has_to_be(kind: str, conflict: str) -> None:
    taken = snapshot(["a/b/c"], {"a": OTHER}, blocked={"a": kind})
    assert made(taken, force=True).conflicts == (Conflict("a", conflict),)


def test_file_of_the_index_makes_room_for_a_folder() -> None:
    taken = snapshot(["a/b"], {"a": OLD}, {"a": OLD}, blocked={"a": plan.FILE})
    assert changes(made(taken)) == (("a/b",), (), ("a",), [])
    edited = taken._replace(found={"a": OTHER})
    assert made(edited).conflicts == (Conflict("a", plan.EDITED), Conflict("a", plan.NOT_A_FOLDER))
    assert changes(made(edited, force=True)) == (("a/b",), (), ("a",), [])


def test_folder_with_nothing_else_in_it_makes_room_for_a_file() -> None:
    taken = snapshot(["a"], {"a": plan.FOLDER, "a/b": OLD}, {"a/b": OLD}, replaceable=frozenset(["a"]))
    todo = made(taken)
    assert changes(todo) == (("a",), (), ("a/b",), [])
    assert todo.emptied == ("a",)
    assert todo.before == {"a": plan.FOLDER, "a/b": OLD}
    assert made(taken._replace(replaceable=frozenset())).conflicts == (Conflict("a", plan.NOT_A_FILE),)


def test_something_where_a_folder_was_is_nobodys_business() -> None:
    assert made(snapshot(["b"], {}, {"a/x": OLD}, blocked={"a": plan.FILE})).conflicts == ()


def test_link_where_a_folder_is_or_was() -> None:
    for wanted in (["a/x"], ["b"]):
        taken = snapshot(wanted, {}, {"a/x": OLD}, blocked={"a": plan.SYMLINK})
        assert made(taken, force=True).conflicts == (Conflict("a", plan.SYMLINK),)


@pytest.mark.parametrize("path", ["../a", "/a", "a//b", ".okgen.json", ".okgen.tmp/1", "a\nb", ""])
def test_no_path_of_a_tree(path: str) -> None:
    with pytest.raises(ValueError, match="not the path"):
        made(snapshot(["b", path]))


def test_no_path_through_another_file() -> None:
    with pytest.raises(ValueError, match="not the path"):
        made(snapshot(["a", "a/b/c"]))


def test_drift() -> None:
    found = {
        "stale": OLD,
        "left": OLD,
        "edited": OTHER,
        "left-edited": OTHER,
        "way": OTHER,
        "link": plan.SYMLINK,
        "ok": NEW,
    }
    files = dict.fromkeys(["stale", "left", "edited", "left-edited", "missing", "ok"], OLD)
    todo = made(snapshot(["stale", "edited", "way", "link", "missing", "new", "ok"], found, files))
    assert plan.drift(todo) == [
        ("edited", plan.EDITED),
        ("left", plan.LEFT_OVER),
        ("left-edited", plan.EDITED),
        ("link", plan.SYMLINK),
        ("missing", plan.MISSING),
        ("new", plan.MISSING),
        ("stale", plan.STALE),
        ("way", plan.IN_THE_WAY),
    ]
    assert todo.unchanged == 1


def test_drift_of_a_tree_that_is_not_there() -> None:
    assert plan.drift(made(snapshot(["a"]))) == [(index.NAME, plan.MISSING), ("a", plan.MISSING)]


def test_drift_of_a_tree_by_another_version_is_one_line_and_its_edits() -> None:
    found = {"stale": OLD, "left": OLD, "edited": OTHER}
    taken = snapshot(["stale", "edited", "new"], found, dict.fromkeys(found, OLD))
    todo = made(taken._replace(known=taken.known._replace(okgen="0.0.9")))
    version = (index.NAME, "rendered by okgen 0.0.9")
    assert plan.drift(todo) == [version, ("edited", plan.EDITED)]
    assert plan.drift(todo, every_file=True) == [
        version,
        ("edited", plan.EDITED),
        ("left", plan.LEFT_OVER),
        ("new", plan.MISSING),
        ("stale", plan.STALE),
    ]


def test_problems() -> None:
    found = {"x/edited": OTHER, "link": plan.SYMLINK, "pipe": plan.SPECIAL, "way": OTHER}
    taken = snapshot([*found, "file/a"], found, {"x/edited": OLD}, blocked={"file": plan.FILE})
    problems = plan.problems(made(taken))
    assert [(problem.file, problem.code) for problem in problems] == [
        ("out/demo/file", "OKG507"),
        ("out/demo/link", "OKG506"),
        ("out/demo/pipe", "OKG507"),
        ("out/demo/way", "OKG505"),
        ("out/demo/x/edited", "OKG504"),
    ]
    assert all(problem.severity == "error" and problem.message and problem.help for problem in problems)
    assert "--force" in problems[3].help
    assert "--force" in problems[4].help
    assert made(taken).is_empty is False
