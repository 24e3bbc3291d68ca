"""``okgen.yaml`` at the root of a repository: which rules are off there, why, and until when."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from okgen.problem import Problem, Unable, has_errors
from okgen.read import source
from okgen.repository import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from okgen.judge.schema import Schema
    from okgen.read.inputs import Input
    from okgen.read.source import Document

_SCHEMA = "repository"
_EMPTY = "OKG104"


class Exemption(NamedTuple):
    """A rule that is off until the end of a day, in UTC."""

    code: str
    until: str

    def has_expired(self, today: str) -> bool:
        """Whether the rule holds again; days as in 2027-01-31."""
        return self.until < today


class Repository(NamedTuple):
    """What the okgen.yaml of a root says; ``whole``: whether the run takes every cluster.yaml of the repository."""

    document: Document
    exemptions: tuple[Exemption, ...]
    whole: bool


class Judged(NamedTuple):
    """The problems that are left, and the texts of the files they point into that were read for it."""

    problems: list[Problem]
    texts: dict[str, str]


def judge(problems: Sequence[Problem], inputs: Iterable[Input], *, complete: bool) -> Judged:
    """The problems of a run without those whose rule is off, and with what is wrong in the okgen.yaml of each root.

    ``complete``: whether every rule has been asked.
    Raises Unable for an okgen.yaml that cannot be read.
    """
    left, texts = list(problems), {}
    by_root: dict[str, list[Input]] = {}
    for each in inputs:
        by_root.setdefault(each.root, []).append(each)
    for root, those in by_root.items():
        file = os.path.relpath(os.path.join(root, SETTINGS))
        try:
            found = _read(root, file, whole=complete and those[0].whole)
        except source.Misread as misread:
            if all(each.code == _EMPTY for each in misread.problems):
                continue  # nothing but comments: no rule is off
            texts[file] = misread.text
            left += misread.problems
            continue
        if found is None:
            continue
        texts[file] = found.document.text
        faults = _faults(found.document)
        left = [*left, *faults] if faults else _without(left, found, frozenset(each.file for each in those))
    return Judged(left, texts)


def schema() -> Schema:
    """The JSON Schema of okgen.yaml for editors, with every code that can be turned off."""
    from okgen.codes import CODES
    from okgen.judge.schema import load

    joined = load(_SCHEMA)
    rules = joined["properties"]["rules"]
    rules["properties"] = {
        code: {"$ref": "#/$defs/rule", "title": each.title, "description": each.text}
        for code, each in sorted(CODES.items())
        if each.can_be_off
    }
    rules["additionalProperties"] = False
    return joined


def _read(root: str, file: str, *, whole: bool) -> Repository | None:
    """The okgen.yaml of a root, judged later; None when there is none. Raises Misread, Unable."""
    path = os.path.join(root, SETTINGS)
    if not os.path.lexists(path):
        return None
    if os.path.islink(path):  # the excerpts in messages would show what it leads to
        raise Unable(f"{file}: a symbolic link, and okgen follows none to it")
    document = source.read(path, file, dates=True)
    rules = document.data.get("rules") if isinstance(document.data, dict) else None
    entries: dict[str, Any] = rules if isinstance(rules, dict) else {}
    exemptions = tuple(
        Exemption(code, entry["until"])
        for code, entry in entries.items()
        if isinstance(entry, dict) and isinstance(entry.get("until"), str)
    )
    return Repository(document, exemptions, whole)


def _faults(document: Document) -> list[Problem]:
    """What is wrong with the file itself."""
    from okgen.codes import CODES
    from okgen.judge.conforms import conforms
    from okgen.judge.schema import load

    wanted = load(_SCHEMA)
    if not conforms(document.data, wanted, wanted):
        from okgen.judge import violations  # imports jsonschema, for a mistake only

        return violations.find(document, wanted)
    rules = document.data.get("rules") or {}
    unknown = [_unknown(document, code) for code in rules if code not in CODES or not CODES[code].can_be_off]
    return unknown + [_no_day(document, code) for code in rules if not _is_day(rules[code]["until"])]


def _unknown(document: Document, code: str) -> Problem:
    from okgen.codes import CODES
    from okgen.judge.violations import suggestion

    path = ("rules", code)
    if code in CODES:
        message = f"{code} ({CODES[code].title}) cannot be turned off"
        help_text = "mend what it points at: only warnings and rules about several clusters can be turned off"
        return document.problem("OKG340", path, message, help_text, key=True)
    known = [each for each in CODES if CODES[each].can_be_off]
    return document.problem("OKG340", path, f"there is no rule {code}", suggestion(code, known, "rules"), key=True)


def _is_day(text: str) -> bool:
    from datetime import date

    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _no_day(document: Document, code: str) -> Problem:
    until = document.data["rules"][code]["until"]
    return document.problem("OKG205", ("rules", code, "until"), f"there is no day {until}", "a month has fewer days")


def _without(problems: list[Problem], repository: Repository, files: frozenset[str]) -> list[Problem]:
    """The problems that are left, and one for each exemption that has expired or that hides nothing."""
    if not repository.exemptions:
        return problems
    today = _today()
    complete = repository.whole and not has_errors(each for each in problems if not _is_rule(each))
    left, remarks = problems, []
    for exemption in repository.exemptions:
        hidden = [each for each in left if each.code == exemption.code and each.file in files and _is_rule(each)]
        if hidden and exemption.has_expired(today):
            remarks.append(_expired(repository.document, exemption, hidden))
        elif hidden:
            gone = set(hidden)
            left = [each for each in left if each not in gone]
        elif complete:
            remarks.append(_useless(repository.document, exemption))
    return left + remarks


def _is_rule(problem: Problem) -> bool:
    """Whether it can be turned off: a warning, or about several clusters."""
    from okgen.codes import CODES

    return not problem.is_error or CODES[problem.code].fleet


def _expired(document: Document, exemption: Exemption, hidden: Sequence[Problem]) -> Problem:
    what = "a problem it hid is back" if len(hidden) == 1 else f"the {len(hidden)} problems it hid are back"
    message = f"{exemption.code} was off until {exemption.until}; {what}"
    help_text = "mend it and remove the entry, or decide anew and give a later day"
    return document.problem("OKG341", ("rules", exemption.code, "until"), message, help_text)


def _useless(document: Document, exemption: Exemption) -> Problem:
    message = f"{exemption.code} is off, and nothing in this repository breaks the rule"
    return document.problem("OKG342", ("rules", exemption.code), message, "remove it", key=True, severity="warning")


def _today(environment: Mapping[str, str] = os.environ) -> str:
    """The day in UTC; the only place that asks for it, and nothing that is rendered depends on it.

    SOURCE_DATE_EPOCH, seconds since 1970, stands for the clock, as reproducible-builds.org has it. Raises Unable when
    it is no number.
    """
    import time

    given = environment.get("SOURCE_DATE_EPOCH")
    try:
        now = time.time() if given is None else int(given)
        return time.strftime("%Y-%m-%d", time.gmtime(now))
    except (ValueError, OverflowError, OSError):
        raise Unable("SOURCE_DATE_EPOCH in the environment is not a number of seconds") from None
