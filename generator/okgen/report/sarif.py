"""SARIF 2.1.0, which code scanning reads: GitHub's, GitLab's, and the viewers of editors.

Facts: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html, section 3, and
https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning.
"""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from okgen import __version__
from okgen.codes import CODES, Code
from okgen.report.excerpt import Sources
from okgen.report.json import dumped
from okgen.repository import named_from_root
from okgen.text import harmless

if TYPE_CHECKING:
    from okgen.problem import Problem, Related
    from okgen.report import Report
    from okgen.write.drift import Drift

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
# Not `primaryLocationLineHash`: GitHub works that one out itself, and complains of another value under the name.
_FINGERPRINT = "okgen/v1"
_DRIFT = "drift"
_RULES: dict[str, Code] = CODES | {
    _DRIFT: Code(
        "rendered file is not up to date",
        "A file of a rendered tree is not what okgen would render now: missing, stale, left over, edited by hand, or "
        "rendered by another version of okgen. Run `okgen render` and commit what it writes.",
    )
}
_INDEX = {code: number for number, code in enumerate(_RULES)}
_PLACEHOLDER = re.compile(r"\{\d+\}|\{\{|\}\}")


def text(report: Report) -> str:
    """One run with every rule, a result for each problem and for each file that differs."""
    sources = Sources(report.texts)
    results = [*(_problem(each, sources) for each in report.problems), *map(_drift, report.drift)]
    driver = {"name": "okgen", "version": __version__, "rules": [_rule(code, each) for code, each in _RULES.items()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": _told_apart(results),
    }
    return dumped({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str, about: Code) -> dict[str, Any]:
    return {
        "id": code,
        "shortDescription": {"text": about.title},
        "fullDescription": {"text": about.text},
        "help": {"text": about.text, "markdown": about.text},
        "defaultConfiguration": {"level": "error"},
    }


def _problem(problem: Problem, sources: Sources) -> dict[str, Any]:
    where: dict[str, Any] = {"physicalLocation": _physical(problem)}
    if problem.path:
        where["logicalLocations"] = [{"fullyQualifiedName": harmless(problem.path), "kind": "member"}]
    line = sources.line(problem.file, problem.line) or ""
    result = {
        "ruleId": problem.code,
        "ruleIndex": _INDEX[problem.code],
        "level": problem.severity,
        "message": {"text": _message("\n".join(filter(None, (problem.message, problem.help))))},
        "locations": [where],
        # The line's text and not its number: what moves down is the same problem.
        "partialFingerprints": {_FINGERPRINT: _digest(problem.code, problem.file, line.strip())},
    }
    if problem.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(each), "message": {"text": _message(each.label)}}
            for number, each in enumerate(problem.related, 1)
        ]
    return result


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "ruleId": _DRIFT,
        "ruleIndex": _INDEX[_DRIFT],
        "level": "error",
        "message": {"text": _message("\n".join([f"{drift.file}: {drift.kind}", *drift.diff.split("\n")]).rstrip())},
        "locations": [{"physicalLocation": {"artifactLocation": _artifact(drift.file), "region": {"startLine": 1}}}],
        "partialFingerprints": {_FINGERPRINT: _digest(_DRIFT, drift.file, drift.kind)},
    }


def _physical(place: Problem | Related) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column}
    return {"artifactLocation": _artifact(place.file), "region": region}


def _artifact(file: str) -> dict[str, Any]:
    """A file by its place in the repository, or by an absolute URI if it is in none."""
    name = named_from_root(file)
    if name is None:
        return {"uri": "file://" + quote(os.fsencode(os.path.abspath(file)))}
    return {"uri": quote(os.fsencode(name)), "uriBaseId": _ROOT}


def _message(text: str) -> str:
    """A text of which nothing is taken for a link or a placeholder."""
    lines = "\n".join(map(harmless, text.split("\n")))
    linked = lines.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]") if "](" in lines else lines
    return linked.replace("{", "{{").replace("}", "}}") if _PLACEHOLDER.search(linked) else linked


def _digest(*parts: str) -> str:
    text = "\0".join(parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _told_apart(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results, equal fingerprints numbered in their order."""
    seen: dict[str, int] = {}
    for each in results:
        digest = each["partialFingerprints"][_FINGERPRINT]
        seen[digest] = seen.get(digest, 0) + 1
        each["partialFingerprints"] = {_FINGERPRINT: f"{digest}:{seen[digest]}"}
    return results
