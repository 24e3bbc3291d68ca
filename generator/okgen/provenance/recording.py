"""Mappings and lists that note which of their values an expression reads; what they hold is as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex

from okgen.addons.template import Names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from okgen.problem import Path

INPUT, OWN, IDENTITY, FACT = "input", "own", "identity", "fact"
VERSION, IMAGE, PARTITION = "version", "image", "partition"


class Read(NamedTuple):
    """Something an expression read.

    ``kind`` and ``path``: INPUT, a path of cluster.yaml, given there or not; for the others the path starts with the
    add-on: OWN and the name of a derived value, IDENTITY and a key, FACT and a path in the version's facts, VERSION,
    IMAGE and a name; PARTITION and a key of it. ``whole`` says that it was how many or which keys there are.
    """

    kind: str
    path: Path
    whole: bool = False

    def below(self, step: str | int) -> Read:
        """The read of a value inside of this one."""
        return Read(self.kind, (*self.path, step))


class Log:
    """Gathers reads; nothing while nobody listens."""

    def __init__(self) -> None:
        self._open: list[dict[Read, None]] = []

    def note(self, read: Read) -> None:
        """Keep a read for the innermost listener."""
        if self._open:
            self._open[-1][read] = None

    def restart(self) -> list[Read]:
        """Take from the innermost listener what it has heard of, but for what was looked at as a whole."""
        if not self._open:
            return []
        heard = self._open[-1]
        self._open[-1] = {read: None for read in heard if read.whole}
        return [read for read in heard if not read.whole]

    def of(self, work: Callable[[], Any]) -> tuple[Any, tuple[Read, ...]]:
        """What ``work`` gives, and what it read, each once, in order. Not told to listeners further out."""
        self._open.append({})
        try:
            result = work()
        finally:
            found = self._open.pop()
        return result, tuple(found)


def seen(value: Any, read: Read, log: Log) -> Any:  # noqa: ANN401 - any YAML value
    """The value in a form that notes what is read of it; for a scalar, that it is."""
    if isinstance(value, (SeenNames, SeenList)):
        return value
    if isinstance(value, dict):
        return SeenNames(value, read, log)
    if isinstance(value, list):
        return SeenList(value, [read.below(index) for index in range(len(value))], read, log)
    log.note(read)
    return value


class SeenNames(Names):
    """A mapping of the scope. A key that is not there is noted as well: that decides too.

    ``reads`` says what is read by a key where this is not the key below the mapping's own.
    """

    # Not an attribute that an expression could name: those start with a letter.
    def __init__(self, value: dict[str, Any], read: Read, log: Log, reads: dict[str, Read] | None = None) -> None:
        super().__init__(value)
        self.__dict__.update(_read=read, _log=log, _reads=reads or {})

    def _note(self, key: str | None = None, *, whole: bool = True) -> Read:
        own: Read = self.__dict__["_read"]
        read: Read = own if key is None else self.__dict__["_reads"].get(key) or own.below(key)
        if whole:
            self.__dict__["_log"].note(read._replace(whole=True))
        return read

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any YAML value
        try:
            value = dict.__getitem__(self, key)
        except KeyError:
            self._note(key)
            raise
        return seen(value, self._note(key, whole=False), self.__dict__["_log"])

    __getattr__ = __getitem__

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - any YAML value
        """As for every mapping."""
        self._note(key)
        return self[key] if dict.__contains__(self, key) else default

    def __contains__(self, key: object) -> bool:
        self._note(str(key))
        return dict.__contains__(self, key)

    def __iter__(self) -> Iterator[str]:
        self._note()
        return dict.__iter__(self)

    def __len__(self) -> int:
        self._note()
        return dict.__len__(self)

    def keys(self) -> Any:  # noqa: ANN401 - a view
        """As for every mapping."""
        self._note()
        return dict.keys(self)

    def items(self) -> Any:  # noqa: ANN401 - a view
        """As for every mapping, each value noted."""
        self._note()
        return {key: self[key] for key in dict.keys(self)}.items()

    def values(self) -> Any:  # noqa: ANN401 - a view
        """As for every mapping, each value noted."""
        return dict(self.items()).values()

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == other

    __hash__ = None  # type: ignore[assignment]


class SeenList(list[Any]):
    """A list of the scope; ``reads`` says for each item what is read when it is."""

    def __init__(self, value: list[Any], reads: list[Read], read: Read, log: Log) -> None:
        super().__init__(value)
        self.reads, self.read, self.log = reads, read, log

    def note(self) -> None:
        """It was looked at as a whole."""
        self.log.note(self.read._replace(whole=True))

    def __iter__(self) -> Iterator[Any]:
        self.note()
        for value, read in zip(list.__iter__(self), self.reads, strict=True):
            yield seen(value, read, self.log)

    def __getitem__(self, index: SupportsIndex | slice) -> Any:  # noqa: ANN401 - an item or a list
        found = list.__getitem__(self, index)
        if isinstance(index, slice):
            self.note()
            return SeenList(found, self.reads[index], self.read, self.log)
        return seen(found, self.reads[index], self.log)

    def __len__(self) -> int:
        self.note()
        return list.__len__(self)

    def __contains__(self, wanted: object) -> bool:
        return any(each == wanted for each in self)

    def __eq__(self, other: object) -> bool:
        return list(self) == other

    __hash__ = None

    def __add__(self, other: list[Any]) -> list[Any]:
        return [*self, *other]

    def __radd__(self, other: list[Any]) -> list[Any]:
        return [*other, *self]


class SeenScope(dict[str, Any]):
    """The names of a scope, of which the scalars are noted when they are read."""

    def __init__(self, names: dict[str, Any], reads: dict[str, Read], log: Log) -> None:
        super().__init__(names)
        self.reads, self._log = reads, log

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any YAML value
        value = dict.__getitem__(self, key)
        read = self.reads.get(key)
        return value if read is None else seen(value, read, self._log)
