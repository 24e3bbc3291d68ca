"""What `okgen check` lists, file by file, and what it shows of the contents."""

from __future__ import annotations

import json
import os
import re
import resource
import stat
from typing import TYPE_CHECKING

import pytest

import rendering
from okgen.write import drift
from okgen.write.index import digest
from trees import in_child

if TYPE_CHECKING:
    from pathlib import Path

README = "output/demo/README.md"
MINE = "mine\n"
ARGOCD = "output/demo/argocd/application-cert-manager.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cluster that is rendered."""
    rendering.rendered(tmp_path, rendering.minimal())
    return tmp_path


def check(folder: Path, *arguments: str, profile: str = "production") -> list[dict[str, str]]:
    """The drift of the cluster in its JSON form."""
    (folder / "cluster.yaml").write_text(rendering.written(rendering.minimal(profile=profile)), encoding="utf-8")
    code, out, _ = rendering.okgen("check", "--format", "json", *arguments, cwd=folder)
    found: list[dict[str, str]] = json.loads(out)["drift"]
    assert code == int(bool(found))
    return found


def edit(place: Path, before: str, after: str) -> None:
    text = place.read_text(encoding="utf-8")
    assert before in text
    place.write_text(text.replace(before, after), encoding="utf-8")


def test_an_edit_comes_with_its_diff(folder: Path) -> None:
    edit(folder / ARGOCD, "prune: true", "prune: false")

    result = rendering.render(folder, rendering.minimal(), command="check")

    assert result.code == 1
    assert result.out.startswith(f"{ARGOCD}: edited by hand\n  --- what is there\n  +++ what would be rendered\n  @@ ")
    assert "  -      prune: false\n  +      prune: true\n" in result.out


def test_a_file_of_a_terabyte_is_not_read(folder: Path) -> None:
    os.truncate(folder / README, 1 << 40)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        assert [(each["file"], each["kind"]) for each in check(folder)] == [(README, "edited by hand")]

    assert in_child(work) == 0


def test_other_diffs_are_shown_when_asked_for(folder: Path) -> None:
    (folder / README).unlink()
    (folder / "output" / "demo" / "old.yaml").write_text(MINE, encoding="utf-8")
    edit(
        folder / "output" / "demo" / ".okgen.json",
        '"files": {',
        '"files": {\n    "old.yaml": "' + digest(MINE.encode()) + '",',
    )

    kinds = {each["file"]: each["kind"] for each in check(folder, profile="development")}
    without = [each["file"] for each in check(folder, profile="development") if "diff" in each]
    diffs = {each["file"]: each.get("diff", "") for each in check(folder, "--diff", profile="development")}

    assert without == []
    assert kinds[README] == "missing"
    assert diffs[README].splitlines()[2].startswith("@@ -0,0 +1,")
    stale = "output/demo/addons/cert-manager/deployment-cert-manager.yaml"
    assert kinds[stale] == "stale"
    assert "-  replicas: 2\n+  replicas: 1\n" in diffs[stale]
    assert kinds["output/demo/old.yaml"] == "left over"
    assert diffs["output/demo/old.yaml"].endswith("@@ -1 +0,0 @@\n-mine\n")
    assert diffs.keys() == kinds.keys()


def test_another_version_is_one_line_and_every_file_when_asked_for(folder: Path) -> None:
    edit(folder / "output" / "demo" / ".okgen.json", '"okgen": "', '"okgen": "0.0.1-')

    brief = check(folder, profile="development")
    long = check(folder, "--diff", profile="development")

    assert len(brief) == 1
    assert re.fullmatch(r"rendered by okgen 0\.0\.1-\S+", brief[0]["kind"])
    assert brief[0] in long
    assert {each["kind"] for each in long} == {brief[0]["kind"], "stale", "left over"}


def test_what_is_not_text_is_not_shown(folder: Path) -> None:
    (folder / ARGOCD).write_bytes(b"\xff" * 10)
    (folder / README).write_bytes(b"\x1b]0;x\x07" * 100_000)

    found = {each["file"]: each["diff"] for each in check(folder)}

    assert found[ARGOCD].startswith("no text")
    assert found[README].startswith("too large to show")


def test_control_characters_of_an_edit_do_not_reach_the_terminal(folder: Path) -> None:
    (folder / README).write_text("\x1b]0;x\x07\r\n", encoding="utf-8", newline="")

    out = rendering.render(folder, rendering.minimal(), "--diff", command="check").out

    assert "  -\\x1b]0;x\\x07\\r\n" in out
    assert out.replace("\n", "").isprintable()


def test_no_link_is_followed_for_a_diff(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("outside") / "secret"
    secret.write_text("secret\n", encoding="utf-8")
    (folder / README).unlink()
    (folder / README).symlink_to(secret)

    found = check(folder, "--diff")

    assert found == [{"file": README, "kind": "symbolic link"}]


def test_diffs_end_somewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "_MOST_SHOWN", 100)

    found = check(folder, "--diff", profile="development")

    assert found[0]["diff"].startswith("--- what is there\n")
    left_out = "diffs of further files are left out: check fewer clusters at a time\n"
    assert [each["diff"] for each in found[1:]] == [left_out] * (len(found) - 1)
    assert len(found) > 2


def status(path: Path) -> list[float]:
    """All but the time it was last read, which reading may change."""
    return [number for place, number in enumerate(os.lstat(path)[:9]) if place != stat.ST_ATIME]


def test_check_never_writes(folder: Path) -> None:
    edit(folder / ARGOCD, "prune: true", "prune: false")
    before = {path: status(path) for path in sorted(folder.rglob("*"))}
    (folder / "output").chmod(0o555)

    check(folder, "--diff")

    (folder / "output").chmod(0o755)
    after = {path: status(path) for path in sorted(folder.rglob("*"))}
    changed = {path.name for path in after if after[path] != before[path]} - {"cluster.yaml", "output"}
    assert after.keys() == before.keys()
    assert not changed
