"""Is it true what okgen says that a value reaches? Each value of real inputs is changed, and what moves is compared.

Every value that cluster.yaml gives is replaced by others that okgen accepts, and left out. What differs then in the
tree must be among what ``Provenance.reached`` names: nothing moves that it does not know of. The other way round, what
it names and no change has moved must be there by a condition or by the choice of a version, or be one of ``REVIEWED``.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from okgen import pipeline
from okgen.addons.catalogue import Catalogue
from okgen.emit import dump
from okgen.judge.conforms import conforms
from okgen.judge.schema import bundle
from okgen.problem import Refused, dotted
from okgen.provenance import GIVEN, RELEASE, Cause, Provenance, fields
from okgen.read import inputs, source
from okgen.render.renderer import Renderer
from okgen.resolve.resolver import resolve
from okgen.write import index

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from okgen.problem import Path as Steps

CASES = Path(__file__).resolve().parent / "cases"
Fields = set[tuple[str, "Steps"]]

# Fields that a value moves without a word of ``reached``, and why that is right.
EXEMPT = {
    r"^addons\.aws-load-balancer-controller\..* moves iam/.*Statement\[": "the role has two policies in this case, and "
    "which of them has room for a statement follows from the sizes of all the others",
}
# Values that a template reads for a field, which none of the values tried here makes another; and why that is right.
REVIEWED = {
    r"^profile .* spec\.replicas$": "an add-on without leader election has one replica in both profiles",
    r"^aws\.region .*/.*\.Resource": "an ARN without a region has the partition, which no region accepted here changes",
    r"^dns\.zones\[0\]\.name .*\.args\[": "a zone's name is compared with those before it, so that none is said twice",
    r"^dns\.zones\[0\]\.name .*\.Resource": "an issuer's zones are chosen by name, and have their ARN by id",
    r"^addons\.external-dns\.policy .*Actions\[0\]$": "every policy allows the first action, CREATE",
    r"^addons\.[a-z-]+ .* README.md |^addons\.[a-z-]+ .* argocd/": "it is there for any of several add-ons",
}

_ENOUGH = 4  # accepted values of one key that are tried
_LEFT_OUT = object()
_CATALOGUE, _RENDERER = Catalogue(), Renderer()


def others(value: Any) -> Iterator[Any]:
    """Values to try instead of one; most are refused in most places."""
    yield _LEFT_OUT
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1, 1)
    elif isinstance(value, str):
        yield from (f"{value}0", f"x{value}", f"{value}x/", re.sub(r"[0-5]", "6", value), value.swapcase())
        yield from ("production", "development", "irsa", "pod-identity", "vendored", "url", "eks-capability", "Exists")
        yield from ("sync", "upsert-only", "create-only", "ParameterStore", "SecretsManager", "NoExecute", "public")
        yield from ("eu-central-1", "cn-northwest-1", "us-gov-east-1", "1.33", "1.27", "1.20", "debug", "internal")


def rendered(data: Any, given: inputs.Input) -> dict[str, str] | None:
    """The tree of a cluster.yaml with this data; None when it is refused."""
    schema = bundle(_CATALOGUE, data["addons"])
    if not conforms(data, schema, schema):  # spares the words for what is wrong
        return None
    try:
        document = source.parse(dump(data).encode(), given.file)
        cluster, _ = resolve(document, _CATALOGUE, given.root)
        return _RENDERER.files(cluster, document)
    except Refused:
        return None


def moved(tree: dict[str, str], other: dict[str, str], data: Provenance) -> Fields:
    """The fields of a tree that are others, or gone, in another one."""
    found: Fields = set()
    for file, text in tree.items():
        there = fields.counterpart(file, tree, other)
        if there is None:
            found |= {(file, leaf) for leaf in fields.leaves(data.data(file))}
        elif other[there] != text:
            found |= {(file, leaf) for leaf in fields.moved(data.data(file), fields.data_of(there, other[there]))}
    return found


def is_firm(causes: Iterable[Cause], path: Steps) -> bool:
    """Whether a value is among causes otherwise than by a condition, a version or a digest."""
    return any(
        (each.kind == GIVEN and each.path == path) or is_firm(each.below, path)
        for each in causes
        if not each.is_condition and each.kind != RELEASE and not each.text.startswith("changes with")
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("case", ["full", "irsa", "mirrors", "options", "patches"])
def test_what_moves_is_what_is_reached(case: str) -> None:
    (given,) = inputs.find([str(CASES / case / "cluster.yaml")])
    (now,) = pipeline.rendered([given], pipeline.Findings())
    provenance = Provenance(now.document, now.cluster, now.files)
    lost, idle, tried = [], [], 0
    for path in fields.leaves(now.document.data):
        seen: Fields = set()
        accepted = 0
        for value in others(fields.at(now.document.data, path)):
            data = copy.deepcopy(now.document.data)
            holder = fields.at(data, path[:-1])
            if value is _LEFT_OUT:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value
            tree = rendered(data, given)
            if tree is not None and tree != now.files:
                accepted += 1
                seen |= moved(now.files, tree, provenance)
                if accepted == _ENOUGH:
                    break
        tried += accepted
        reached = {
            (file, leaf) for file, leaves in provenance.reached(path).items() if file != index.NAME for leaf in leaves
        }
        lost += [f"{dotted(path)} moves {file} {dotted(leaf)}" for file, leaf in sorted(seen - reached, key=str)]
        if accepted:
            idle += [
                f"{dotted(path)} is said to reach {file} {dotted(leaf)}"
                for file, leaf in sorted(reached - seen, key=str)
                if is_firm(provenance.causes(file, leaf), path)
            ]
    assert tried > 10
    assert [each for each in lost if case != "options" or not _is_known(each, EXEMPT)] == []
    assert [each for each in idle if not _is_known(each, REVIEWED)] == []


def _is_known(said: str, patterns: Iterable[str]) -> bool:
    return any(re.search(pattern, said) for pattern in patterns)
