"""``okgen adopt``: turns hand edits of rendered objects into patches in cluster.yaml, and puts the files back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from okgen import pipeline
from okgen.adopt import located
from okgen.adopt.adoption import Adopted, Adoption
from okgen.adopt.rewriting import replace
from okgen.commands import options
from okgen.emit import dump
from okgen.manual import Example, Manual
from okgen.problem import Refused
from okgen.text import harmless
from okgen.write import tree

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from okgen.adopt.located import Edited


MANUAL = Manual(
    """\
The edit of a rendered object becomes an entry of its add-on's `patches` in cluster.yaml, and the file
is put back as it was rendered; the next render hands the patch to Kustomize, which builds what the
edit wanted. Nothing else in cluster.yaml changes: comments, order, quotes and line ends stay. A second
edit of an object joins the patch of the first. What cannot become a patch is refused with the reason,
and then nothing is written for any file.

The cluster.yaml is looked for in the repository; for a tree rendered with --output, name it.
""",
    {0: "adopted; run okgen render", 1: "an edit cannot become a patch: nothing is written", 2: "could not run"},
    (
        Example("okgen adopt output/shop/addons/external-dns/deployment-external-dns.yaml", "keep this edit"),
        Example(
            "okgen adopt --dry-run output/shop/addons/external-dns/deployment-external-dns.yaml",
            "see the entry for cluster.yaml first",
        ),
        Example(
            "okgen adopt --cluster cluster.yaml build/shop/addons/external-dns/deployment-external-dns.yaml",
            "in a tree rendered with --output build",
        ),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a rendered file that was edited by hand")
    parser.add_argument("--dry-run", action="store_true", help="print the entries for cluster.yaml, and write nothing")
    parser.add_argument(
        "--cluster", metavar="FILE", help="the cluster.yaml to write into; default: the one in the repository"
    )
    options.add_report(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 adopted; 1 an edit cannot become a patch, and nothing was written. Raises Unable."""
    findings = pipeline.Findings()
    done: list[tuple[Adoption, list[Adopted]]] = []
    for folder, edits in _by_folder(map(located.edited, dict.fromkeys(arguments.files))).items():
        try:
            adoption = Adoption(located.source_of(folder, arguments.cluster), folder)
        except Refused as refused:
            findings.add(refused.problems)
            continue
        done.append((adoption, _taken(adoption, edits, findings)))
    if options.report(arguments, findings, stream=sys.stderr):
        return 1
    for adoption, adopted in done:
        if arguments.dry_run:
            _show(adoption, adopted)
        else:
            _write(adoption, adopted)
    return 0


def _by_folder(edits: Iterable[Edited]) -> dict[str, list[Edited]]:
    found: dict[str, list[Edited]] = {}
    for each in edits:
        found.setdefault(each.folder, []).append(each)
    return found


def _taken(adoption: Adoption, edits: Iterable[Edited], findings: pipeline.Findings) -> list[Adopted]:
    found = []
    for each in edits:
        try:
            found.append(adoption.take(each))
        except Refused as refused:
            findings.add(refused.problems)
    return found


def _show(adoption: Adoption, adopted: Iterable[Adopted]) -> None:
    for each in adopted:
        sys.stdout.write(f"# {harmless(adoption.source.input.file)}, below addons.{each.addon}.patches\n")
        sys.stdout.write("".join(f"{harmless(line)}\n" for line in dump([each.entry]).splitlines()))


def _write(adoption: Adoption, adopted: Iterable[Adopted]) -> None:
    """cluster.yaml first: killed in between, the edit is still there as well, and is adopted to no further effect."""
    given, document = adoption.source.input, adoption.source.document
    if adoption.is_changed:
        replace(given.path, adoption.before, document.text)
    tree.apply(adoption.plan)
    file = harmless(given.file)
    for each in adopted:
        line, _ = document.place(("addons", each.addon, "patches", each.number))
        sys.stderr.write(f"{harmless(each.file)}: now a {each.form} patch, {file}:{line}\n")
    sys.stderr.write(f"run okgen render {file}\n")
