"""Remembers the clusters of a run, and knows those of earlier ones again."""

from __future__ import annotations

import marshal
import os
from hashlib import sha256
from typing import TYPE_CHECKING

from okgen.cache.entry import Entry, dumped, loaded
from okgen.cache.installation import fingerprint
from okgen.cache.store import Store
from okgen.pipeline import Planned
from okgen.problem import Refused, Unable, has_errors
from okgen.read import content
from okgen.repository import above
from okgen.resolve import patch_files
from okgen.together import Claim
from okgen.write import plan, tree
from okgen.write.index import digest
from okgen.write.places import place_of

if TYPE_CHECKING:
    from okgen.pipeline import Rendered
    from okgen.read.inputs import Input
    from okgen.write.places import Place


_Known = dict[tuple[str, str], tuple[bytes, bytes]]  # by path and name in messages: digest of what counts, and an entry
Learned = dict[str, _Known]  # by shelf


class Memory:
    """Knows of clusters that were rendered before which of their trees are as they would be rendered again.

    What it has of a repository stands in one file, as most runs look at all of its clusters.
    """

    def __init__(self, store: Store, installation: bytes, output: str | None, *, alone: bool) -> None:
        self._store, self._installation, self._output, self._alone = store, installation, output, alone
        self._known: Learned = {}
        self._new: Learned = {}
        self._shelves: dict[str, str] = {}  # by root

    @classmethod
    def open(cls, output: str | None, *, alone: bool) -> Memory | None:
        """The memory of this user for a run with that ``--output``; None where there is none to rely on.

        ``alone``: whether the run has but one cluster, of which nothing need be known for others.
        """
        store = Store.open()
        installation = fingerprint() if store else None
        return cls(store, installation, output, alone=alone) if store and installation else None

    def sound(self, given: Input) -> Planned | None:
        """A cluster whose tree is as it would be rendered; None where that is not known."""
        shelf = self._shelf(given.root)
        known, data = self._all(shelf).get((given.path, given.file), (b"", b"")) if shelf else (b"", b"")
        if not known:
            return None
        try:
            text = content.text_of(content.raw(given.path, given.file), given.file)
            return self._as_it_was(given, text, loaded(data)) if known == _digest(given, text) else None
        except (Refused, Unable):
            return None  # who renders it says why

    def keep(self, planned: Planned) -> None:
        """Remembers a cluster that has been rendered, unless there is a mistake in it."""
        given, rendered, found = planned.input, planned.rendered, planned.plan
        shelf = self._shelf(given.root)
        if rendered is None or not shelf or has_errors(planned.problems):
            return
        cluster = rendered.cluster
        recorded = found.recorded if found.final is None else found.final
        assert recorded is not None, "a plan that writes no index has found it"
        entry = Entry(
            recorded=digest(recorded),
            name=cluster.name,
            at=planned.claim.at,
            path=cluster.path,
            patches=tuple(_patches(rendered)),
            vendored=tuple(_vendored(rendered)),
            problems=planned.problems,
            facts=planned.facts,
        )
        new = self._new.setdefault(shelf, {})
        new[given.path, given.file] = _digest(given, planned.text), dumped(entry)

    def learned(self) -> Learned:
        """What has been kept and not saved, for the memory of another process."""
        return self._new

    def learn(self, new: Learned) -> None:
        """Keeps what another process has learned."""
        for shelf, known in new.items():
            self._new.setdefault(shelf, {}).update(known)

    def save(self) -> None:
        """Writes down what is new, without clusters whose files are gone; to be called at the end of a run."""
        if self._new and fingerprint() != self._installation:
            self._new.clear()  # okgen has been exchanged meanwhile: who knows what has rendered this
        for shelf, new in self._new.items():
            before = {each: known for each, known in self._all(shelf).items() if os.path.lexists(each[0])}
            self._store.put(self._name(shelf), marshal.dumps(before | new))
        self._new.clear()
        self._store.prune()

    def _all(self, shelf: str) -> _Known:
        found = self._known.get(shelf)
        if found is None:
            data = self._store.get(self._name(shelf))
            found = self._known[shelf] = marshal.loads(data) if data else {}  # noqa: S302 - of this user's own okgen
        return found

    def _name(self, shelf: str) -> str:
        """Another one for each okgen: what Git hooks run is not always what people run."""
        return sha256(self._installation + os.fsencode(shelf)).hexdigest()

    def _shelf(self, root: str) -> str:
        """The folder whose clusters stand in one file: a repository; outside of any, what several are in. "" for none.

        A repository that holds the cache itself could bring along what is to be remembered of it.
        """
        found = self._shelves.get(root)
        if found is None:
            around = {path for each in (self._store.folder, self._store.real) for path in (each, *above(each))}
            is_inside = root in around or os.path.realpath(root) in around
            outer = root if os.path.lexists(os.path.join(root, ".git")) else os.path.dirname(root)
            found = self._shelves[root] = "" if is_inside else outer
        return found

    def _as_it_was(self, given: Input, text: str, entry: Entry) -> Planned | None:
        """What there is to know of a cluster when its patches, its upstream files and its tree are as they were."""
        place = place_of(given, entry.path, entry.name, self._output)
        is_enough = self._alone or entry.facts is not None
        if not (is_enough and _has_patches(given, entry) and _has_vendored(entry, place)):
            return None
        count = tree.is_as(entry.recorded, place.folder, trusted_root=place.trusted)
        if not count:
            return None
        claim = Claim(given.file, entry.at, entry.name, place.folder)
        nothing = plan.nothing(place.folder, place.trusted, count)
        return Planned(given, claim, entry.facts, entry.problems, text, nothing, None)


def _digest(given: Input, text: str) -> bytes:
    """Of all that decides what is rendered and said of a cluster, but for patches in files."""
    parts = (given.path, given.file, given.root, text)
    return sha256("".join(f"{len(part)} {part}" for part in parts).encode(errors="surrogateescape")).digest()


def _patches(rendered: Rendered) -> list[tuple[str, str]]:
    return [
        (entry["path"], digest(patch.text.encode()))
        for enabled in rendered.cluster.addons
        for patch in enabled.patches
        if "path" in (entry := enabled.values["patches"][patch.number])
    ]


def _has_patches(given: Input, entry: Entry) -> bool:
    """Whether each file that a patch is in holds what it held. Refused ones are no patch any more."""
    try:
        return all(
            digest(patch_files.text(given.file, name, given.root).encode()) == known for name, known in entry.patches
        )
    except patch_files.UnfitError:
        return False


def _vendored(rendered: Rendered) -> list[tuple[str, str, str, str, str]]:
    if not rendered.cluster.crds_vendored:
        return []
    from okgen.upstream.vendored import sources_of

    return [(each.system, each.version, each.file, each.url, each.sha256) for each in sources_of(rendered.cluster)]


def _has_vendored(entry: Entry, place: Place) -> bool:
    """Whether the upstream files that stand in the repository are the right ones."""
    if not entry.vendored:
        return True
    from okgen.upstream.vendor import Source
    from okgen.upstream.vendored import faults

    return not faults([Source(*each) for each in entry.vendored], place)
