"""The names an add-on's templates see, in the form that notes what is read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import evaluate
from okgen.addons.template import named
from okgen.provenance.recording import (
    FACT,
    IDENTITY,
    IMAGE,
    INPUT,
    OWN,
    PARTITION,
    VERSION,
    Log,
    Read,
    SeenNames,
    SeenScope,
)

if TYPE_CHECKING:
    from okgen.resolve.cluster import Enabled

# Where the names come from that are not what cluster.yaml calls them; `resolve` builds the scope.
_CLUSTER = {
    "name": ("metadata", "name"),
    "labels": ("metadata", "labels"),
    "profile": ("profile",),
    "kubernetes": ("kubernetesVersion",),
    "minor": ("kubernetesVersion",),
}
_REGION, _ACCOUNT = Read(INPUT, ("aws", "region")), Read(INPUT, ("aws", "accountId"))
_PARTITION = Read(PARTITION, ("name",))


class Seen:
    """The scope of one add-on, and what its derived values read, by name."""

    def __init__(self, enabled: Enabled, log: Log) -> None:
        self.log, self.derived = log, dict[str, tuple[Read, ...]]()
        addon, known = enabled.addon.name, enabled.scope
        own = SeenNames({}, Read(OWN, (addon,)), log)
        names = {
            **known,
            **{name: SeenNames(known[name], Read(INPUT, (name,)), log) for name in ("dns", "gitops", "addons")},
            "cluster": SeenNames(
                known["cluster"], Read(INPUT, ()), log, {key: Read(INPUT, path) for key, path in _CLUSTER.items()}
            ),
            "aws": SeenNames(
                known["aws"],
                Read(INPUT, ("aws",)),
                log,
                {"partition": _PARTITION, "dnsSuffix": Read(PARTITION, ("dnsSuffix",))},
            ),
            "values": SeenNames(known["values"], Read(INPUT, ("addons", addon)), log),
            "release": SeenNames(known["release"], Read(FACT, (addon,)), log),
            "identity": SeenNames(known["identity"], Read(IDENTITY, (addon,)), log),
            "own": own,
            "arn": self._arn(known["arn"]),
            "image": self._image(addon, known["image"]),
        }
        reads = {"namespace": Read(INPUT, ("addons", addon, "namespace")), "version": Read(VERSION, (addon,))}
        self.names = SeenScope(names, reads, log)
        for name, template in enabled.addon.derived:
            value, self.derived[name] = log.of(lambda each=template: named(evaluate(each, self.names)))  # type: ignore[misc]
            dict.__setitem__(own, name, value)

    def _arn(self, known: Any) -> Any:  # noqa: ANN401 - a function of templates
        def arn(service: str, resource: str, region: str | None = None, account: str | None = None) -> Any:  # noqa: ANN401
            for read in (_PARTITION, *([_REGION] if region is None else []), *([_ACCOUNT] if account is None else [])):
                self.log.note(read)
            return known(service, resource, region, account)

        return arn

    def _image(self, addon: str, known: Any) -> Any:  # noqa: ANN401 - a function of templates
        def image(name: str) -> Any:  # noqa: ANN401
            self.log.note(Read(IMAGE, (addon, name)))
            return known(name)

        return image
