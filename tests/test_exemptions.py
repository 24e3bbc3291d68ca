"""okgen.yaml at the root of a repository: rules that are off for a while, and what is wrong with saying so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import rendering
from okgen.codes import CODES
from okgen.fleet import exemptions
from okgen.judge.schema import load

if TYPE_CHECKING:
    from pathlib import Path

LATER = "2027-01-31"
ON_THAT_DAY, ON_THE_NEXT = "1801439999", "1801440000"  # the last second of that day in UTC, and the one after


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", ON_THAT_DAY)


def fleet(folder: Path, account: str = "123456789012") -> None:
    """Two clusters with one owner id (OKG331), the second with a warning of its own (OKG404)."""
    for name, values in (("a", {}), ("b", {"policy": "sync"})):
        addons = {"external-dns": {"txtOwnerId": "shop", **values}}
        zones = [{"name": "shop.example.com"}]
        cluster = rendering.minimal(
            metadata={"name": name}, addons=addons, dns={"zones": zones}, aws={"accountId": account}
        )
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.okgen.yaml").write_text(rendering.written(cluster), encoding="utf-8")


def rules(folder: Path, text: str) -> None:
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "okgen.yaml").write_text(text, encoding="utf-8")


def told(folder: Path, *arguments: str, command: str = "validate") -> tuple[int, list[tuple[str, str]]]:
    """Exit code, and place and code of each problem."""
    code, out, err = rendering.okgen(command, *(arguments or (".",)), "--format", "json", cwd=folder)
    problems: list[dict[str, Any]] = json.loads(out)["problems"] if out else [{"file": err, "line": 0, "code": ""}]
    return code, [(f"{each['file']}:{each['line']}", each["code"]) for each in problems]


OWNERS, SYNC = ("b.okgen.yaml:15", "OKG331"), ("b.okgen.yaml:16", "OKG404")


def test_without_one(tmp_path: Path) -> None:
    fleet(tmp_path)

    assert told(tmp_path) == (1, [OWNERS, SYNC])


@pytest.mark.parametrize("written", [LATER, f'"{LATER}"'])
def test_a_rule_is_off_until_the_end_of_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    fleet(tmp_path)
    rules(tmp_path, f"rules:\n  OKG331:\n    reason: they move\n    until: {written}\n")

    assert told(tmp_path) == (0, [SYNC])
    monkeypatch.setenv("SOURCE_DATE_EPOCH", ON_THE_NEXT)
    assert told(tmp_path) == (1, [OWNERS, SYNC, ("okgen.yaml:4", "OKG341")])


def test_a_warning_is_off(tmp_path: Path) -> None:
    fleet(tmp_path)
    rules(tmp_path, f"rules: {{OKG404: {{reason: known, until: {LATER}}}}}\n")

    assert told(tmp_path) == (1, [OWNERS])


def test_an_expired_exemption_from_a_warning_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(tmp_path)
    entry = f"{{reason: known, until: {LATER}}}"
    rules(tmp_path, f"rules: {{OKG404: {entry}, OKG331: {{reason: known, until: 2027-12-31}}}}\n")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", ON_THE_NEXT)

    assert told(tmp_path) == (1, [SYNC, ("okgen.yaml:1", "OKG341")])


def test_what_hides_nothing_is_said_when_the_run_takes_all(tmp_path: Path) -> None:
    fleet(tmp_path)
    both = "".join(f"  {code}: {{reason: known, until: {LATER}}}\n" for code in ("OKG331", "OKG332"))
    rules(tmp_path, f"rules:\n{both}")

    assert told(tmp_path) == (0, [SYNC, ("okgen.yaml:3", "OKG342")])
    assert told(tmp_path, "a.okgen.yaml") == (0, [])
    assert told(tmp_path, "a.okgen.yaml", "b.okgen.yaml") == (0, [SYNC])


def test_it_is_not_said_while_a_file_is_wrong(tmp_path: Path) -> None:
    fleet(tmp_path)
    rules(tmp_path, f"rules: {{OKG331: {{reason: known, until: {LATER}}}}}\n")
    (tmp_path / "b.okgen.yaml").write_text("kind: Cluster\n", encoding="utf-8")

    assert {code for _, code in told(tmp_path)[1]} == {"OKG202"}


def test_each_repository_has_its_own(tmp_path: Path) -> None:
    for name, account in (("one", "111111111111"), ("two", "222222222222")):
        fleet(tmp_path / name, account)
        (tmp_path / name / ".git").mkdir()
    rules(tmp_path / "one", f"rules: {{OKG331: {{reason: known, until: {LATER}}}}}\n")

    assert [place for place, code in told(tmp_path)[1] if code == "OKG331"] == ["two/b.okgen.yaml:15"]


@pytest.mark.parametrize("command", ["check", "render"])
def test_rendered_bytes_do_not_depend_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    fleet(tmp_path)
    rules(tmp_path, f"rules: {{OKG331: {{reason: they move, until: {LATER}}}}}\n")
    assert told(tmp_path, command="render")[0] == 0
    before = rendering.texts(tmp_path / "output")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    rules(tmp_path, f"# more\nrules: {{OKG331: {{reason: they move on, until: {LATER}}}}}\n")

    assert told(tmp_path, command=command)[0] == 0
    assert rendering.texts(tmp_path / "output") == before


@pytest.mark.parametrize("text", ["", "# nothing is off\n", "rules:\n", "rules: {}\n", "{}\n"])
def test_one_that_says_nothing(tmp_path: Path, text: str) -> None:
    fleet(tmp_path)
    rules(tmp_path, text)

    assert told(tmp_path) == (1, [OWNERS, SYNC])


ENTRY = f"{{reason: known, until: {LATER}}}"


@pytest.mark.parametrize(
    ("text", "code", "message", "help_text"),
    [
        (f"rule: {{OKG331: {ENTRY}}}", "OKG201", 'unknown key "rule"', "did you mean rules?"),
        (f"rules:\n  OKG33l: {ENTRY}", "OKG340", "there is no rule OKG33l", "did you mean OKG33"),
        (f"rules:\n  OKG101: {ENTRY}", "OKG340", "OKG101 (not YAML) cannot be turned off", "only warnings"),
        (f"rules:\n  OKG341: {ENTRY}", "OKG340", "cannot be turned off", "only warnings"),
        (f"rules:\n  OKG331: {{until: {LATER}}}", "OKG202", 'missing key "reason"', "for example reason:"),
        ("rules:\n  OKG331: {reason: a}", "OKG202", 'missing key "until"', 'for example until: "2027-01-31"'),
        ("rules:\n  OKG331: {reason: ' ', until: 2027-01-31}", "OKG205", '" " is not valid here', "a sentence"),
        ("rules:\n  OKG331: {reason: a, until: 31.1.2027}", "OKG205", "is not valid here", "2027-01-31"),
        ("rules:\n  OKG331: {reason: a, until: 2027-02-30}", "OKG205", "there is no day 2027-02-30", "days"),
        ("rules: [OKG331]", "OKG203", "expected a mapping, found a list", ""),
        ("- 1", "OKG203", "expected a mapping, found a list", ""),
        ("rules: {OKG331: &a [*a]}", "OKG111", "", ""),
        ("rules: {OKG331: 012}", "OKG108", "", ""),
        (f"rules: {{OKG331: {ENTRY}, OKG331: {ENTRY}}}", "OKG106", "", ""),
    ],
)
def test_mistakes(tmp_path: Path, text: str, code: str, message: str, help_text: str) -> None:
    fleet(tmp_path)
    rules(tmp_path, f"{text}\n")
    exit_code, out, _ = rendering.okgen("validate", "a.okgen.yaml", "--format", "json", cwd=tmp_path)
    (found,) = json.loads(out)["problems"]

    assert exit_code == 1
    assert found["file"] == "okgen.yaml"
    assert found["code"] == code
    assert message in found["message"]
    assert help_text in found["help"]
    shown = rendering.okgen("validate", "a.okgen.yaml", cwd=tmp_path)[1]
    assert text.split("\n")[found["line"] - 1] in shown


def test_a_link_or_a_folder_in_its_place(tmp_path: Path) -> None:
    fleet(tmp_path)
    (tmp_path / "okgen.yaml").symlink_to("/etc/hostname")
    code, [(said, _)] = told(tmp_path)

    assert (code, "okgen.yaml: a symbolic link" in said) == (2, True)
    (tmp_path / "okgen.yaml").unlink()
    (tmp_path / "okgen.yaml").mkdir()
    assert told(tmp_path)[0] == 2


def test_a_clock_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet(tmp_path)
    rules(tmp_path, f"rules: {{OKG331: {ENTRY}}}\n")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    code, [(said, _)] = told(tmp_path)

    assert (code, "SOURCE_DATE_EPOCH" in said) == (2, True)


def test_the_schema_for_editors(tmp_path: Path) -> None:
    code, out, _ = rendering.okgen("schema", "--repository", cwd=tmp_path)
    schema: dict[str, Any] = json.loads(out)
    validator = jsonschema.Draft202012Validator(schema)

    assert code == 0
    assert validator.is_valid({"rules": {"OKG331": {"reason": "a", "until": LATER}}})
    assert not validator.is_valid({"rules": {"OKG101": {"reason": "a", "until": LATER}}})
    assert set(schema["properties"]["rules"]["properties"]) == {code for code, each in CODES.items() if each.can_be_off}


def test_every_key_is_described_and_its_examples_are_valid() -> None:
    schema = load("repository")
    jsonschema.Draft202012Validator.check_schema(schema)
    rule = schema["$defs"]["rule"]
    for each in (schema["properties"]["rules"], rule, *rule["properties"].values()):
        assert each["description"]
        for example in each["examples"]:
            jsonschema.Draft202012Validator({**each, "$defs": schema["$defs"]}).validate(example)


def test_what_can_be_off_is_what_is_no_mistake_in_a_file() -> None:
    off = {code for code, each in CODES.items() if each.can_be_off}

    assert {code for code, each in CODES.items() if each.fleet} <= off
    assert {"OKG301", "OKG404"} <= off
    assert not {"OKG101", "OKG320", "OKG340", "OKG341", "OKG342", "OKG504"} & off


def test_only_this_module_asks_for_the_day() -> None:
    package = rendering.REPOSITORY / "generator" / "okgen"
    asking = [path.name for path in package.rglob("*.py") if "gmtime" in path.read_text(encoding="utf-8")]

    assert asking == [f"{exemptions.__name__.rpartition('.')[2]}.py"]
