"""Turns a valid document into a resolved Cluster: defaults, derived facts, versions, roles, and every cross-check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import compiled, evaluate, minor
from okgen.addons.template import Names, named, new_scope
from okgen.judge.conforms import conforms
from okgen.judge.schema import bundle
from okgen.problem import Problem, Refused, has_errors
from okgen.resolve import addon_checks, checks, patches
from okgen.resolve.cluster import ArgoCd, Cluster, Enabled, Patch, Role
from okgen.resolve.defaults import with_defaults
from okgen.resolve.identity import identity_of, statements_of
from okgen.resolve.order import waves
from okgen.resolve.partitions import Partition, partition_of
from okgen.resolve.registry import Mirrors

if TYPE_CHECKING:
    from collections.abc import Callable

    from okgen.addons.catalogue import Addon, Catalogue, Release
    from okgen.judge.schema import Schema
    from okgen.read.source import Document

_IN_CLUSTER = {"server": "https://kubernetes.default.svc"}


def check_schema(document: Document, catalogue: Catalogue) -> Schema:
    """The schema of the document's add-ons, which the document satisfies. Raises Refused."""
    data = document.data
    addons = data.get("addons") if isinstance(data, dict) else None
    schema = bundle(catalogue, set(addons) if isinstance(addons, dict) else ())
    if not conforms(data, schema, schema):
        # Only here, as it imports jsonschema, which costs more than rendering a cluster.
        from okgen.judge import violations

        problems = violations.find(document, bundle(catalogue))
        assert problems, "a file that does not conform breaks a rule"
        raise Refused([*problems, *checks.find(document, _sound_sections(data, schema), _newest(schema))])
    return schema


def _sound_sections(data: Any, schema: Schema) -> dict[str, Any]:  # noqa: ANN401 - any YAML value
    """The sections that fit the schema though another does not, so that their problems are shown as well."""
    known = schema["properties"]
    return {
        key: with_defaults(value, known[key], schema, lambda _: None)
        for key, value in (data.items() if isinstance(data, dict) else ())
        if key in known and conforms(value, known[key], schema)
    }


def _newest(schema: Schema) -> int:
    """The newest Kubernetes minor okgen knows."""
    return minor(schema["properties"]["kubernetesVersion"]["x-newest"])


def resolve(document: Document, catalogue: Catalogue, root: str) -> tuple[Cluster, list[Problem]]:
    """The cluster and the warnings about it. ``root`` is the repository's folder. Raises Refused, TemplateError."""
    schema = check_schema(document, catalogue)
    return _Resolver(document, catalogue, schema, root).run()


def assume(document: Document, catalogue: Catalogue, like: Cluster) -> Cluster | None:
    """The cluster of a document that differs in a value from the right one of ``like``, without a verdict on it.

    Patches are those of ``like``. None where no cluster can be told. Raises whatever a value of no sense leads to.
    """
    schema = bundle(catalogue, {enabled.addon.name for enabled in like.addons})
    return _Assuming(document, catalogue, schema, like).cluster()


class _Resolver:
    """The steps of resolving one document; each adds its problems, so that all are shown at once."""

    def __init__(self, document: Document, catalogue: Catalogue, schema: Schema, root: str) -> None:
        self.document, self.catalogue, self.schema, self.root = document, catalogue, schema, root
        self.problems: list[Problem] = []
        self.data = core_of(document.data, schema)
        self.sections: dict[str, Any] = document.data.get("addons") or {}
        self.minor = minor(self.data["kubernetesVersion"])

    def run(self) -> tuple[Cluster, list[Problem]]:
        self.problems += checks.find(self.document, self.data, _newest(self.schema))
        partition = partition_of(self.data["aws"]["region"])
        cluster = self._cluster(partition) if partition else None
        if cluster is None or has_errors(self.problems):
            raise Refused(self.problems)
        return cluster, self.problems

    def _cluster(self, partition: Partition) -> Cluster:
        data, aws, gitops = self.data, self.data["aws"], self.data["gitops"]
        enabled, roles = self._addons(partition)
        return Cluster(
            name=data["metadata"]["name"],
            labels=data["metadata"]["labels"],
            profile=data["profile"],
            minor=self.minor,
            account=aws["accountId"],
            region=aws["region"],
            partition=partition.name,
            dns_suffix=partition.dns_suffix,
            cluster_name=aws["clusterName"],
            oidc_provider=aws.get("oidcIssuer", "").removeprefix("https://"),
            permissions_boundary=aws.get("permissionsBoundary", ""),
            repository=gitops["repository"],
            revision=gitops["revision"],
            path=gitops["path"],
            crds_vendored=gitops["crds"] == "vendored",
            argocd=self._argocd(partition),
            zones=data["dns"]["zones"],
            addons=enabled,
            roles=roles,
        )

    def _argocd(self, partition: Partition) -> ArgoCd:
        aws, wanted = self.data["aws"], self.data["gitops"]["argocd"]
        self_managed = wanted["flavor"] == "self-managed"
        arn = f"arn:{partition.name}:eks:{aws['region']}:{aws['accountId']}:cluster/{aws['clusterName']}"
        destination = wanted.get("destination", _IN_CLUSTER if self_managed else {"server": arn})
        return ArgoCd(
            namespace=wanted["namespace"],
            health_check=self_managed and wanted["healthCheck"],  # the capability has no health customizations
            destination=destination,
            root_destination=wanted.get("rootDestination", _IN_CLUSTER if self_managed else destination),
        )

    def _addons(self, partition: Partition) -> tuple[tuple[Enabled, ...], list[Role]]:
        chosen = [
            (self.catalogue.addon(name), self._release(self.catalogue.addon(name))) for name in sorted(self.sections)
        ]
        present = [(addon, release) for addon, release in chosen if release]
        self.problems += addon_checks.claims(self.document, [addon for addon, _ in present])
        order = waves([addon for addon, _ in present])
        names = self._names(partition)
        mirrors = Mirrors(self.data["images"]["registries"])
        names["addons"] = Names((addon.name, self._values(addon, release, names)) for addon, release in present)
        enabled, roles = [], []
        for addon, release in present:
            values = names["addons"][addon.name]
            scope = self._scope(addon, release, names, mirrors)
            self._check(addon, scope)
            role = self._role(addon, scope)
            roles += [role] if role else []
            enabled.append(
                Enabled(
                    addon=addon,
                    release=release,
                    values=values,
                    namespace=values["namespace"],
                    wave=order[addon.name],
                    crds=tuple(each for each in release.crds if each.wanted(scope)),
                    patches=self._patches(addon.name, values),
                    scope=scope,
                )
            )
        self.problems += mirrors.unused(self.document)
        by_issuer = [each.addon.name for each in enabled if each.scope["identity"]["mode"] == "irsa"]
        self.problems += addon_checks.issuer_missing(self.document, self.data["aws"], by_issuer)
        return tuple(enabled), roles

    def _check(self, addon: Addon, scope: dict[str, Any]) -> None:
        self.problems += addon_checks.find(self.document, addon, scope)

    def _patches(self, addon: str, values: dict[str, Any]) -> tuple[Patch, ...]:
        return patches.read(self.document, addon, values["patches"], self.root, self.problems)

    def _release(self, addon: Addon) -> Release | None:
        wanted = (self.sections[addon.name] or {}).get("version")
        release, problems = addon_checks.choose_release(self.document, addon, wanted, self.minor)
        self.problems += problems
        return release

    def _names(self, partition: Partition) -> dict[str, Any]:
        """What expressions see of the cluster, whichever the add-on."""
        data, aws = self.data, self.data["aws"]

        def arn(service: str, resource: str, region: str | None = None, account: str | None = None) -> str:
            where = aws["region"] if region is None else region
            owner = aws["accountId"] if account is None else account
            return f"arn:{partition.name}:{service}:{where}:{owner}:{resource}"

        optional = dict.fromkeys(("vpcId", "oidcIssuer", "permissionsBoundary"))
        return {
            "cluster": Names(
                name=data["metadata"]["name"],
                labels=data["metadata"]["labels"],
                profile=data["profile"],
                kubernetes=data["kubernetesVersion"],
                minor=self.minor,
            ),
            "aws": Names({**optional, **aws, "partition": partition.name, "dnsSuffix": partition.dns_suffix}),
            "dns": Names(zones=[Names({"id": None, **zone}) for zone in data["dns"]["zones"]]),
            "gitops": data["gitops"],
            "arn": arn,
        }

    def _scope(self, addon: Addon, release: Release, names: dict[str, Any], mirrors: Mirrors) -> dict[str, Any]:
        """What the templates of an add-on see."""

        def image(name: str) -> str:
            return mirrors.image(release.images[name])

        for reference in release.images.values():
            mirrors.image(reference)  # so that a mirror of an image that this cluster does not use counts as used
        values, derived = names["addons"][addon.name], Names()
        scope = new_scope(names)
        scope.update(
            values=values,
            namespace=values["namespace"],
            version=release.version,
            release=release.facts,
            image=image,
            own=derived,
        )
        for name, template in addon.derived:
            derived[name] = named(evaluate(template, scope))
        scope["identity"] = identity_of(addon, scope, self.data)
        return scope

    def _values(self, addon: Addon, release: Release, names: dict[str, Any]) -> dict[str, Any]:
        section = self.schema["$defs"][addon.name]
        own = {"release": release.facts, "version": release.version}
        derive = _deriver(addon.file("values.schema.json"), {**names, **own})
        values: dict[str, Any] = with_defaults(self.sections[addon.name], section, self.schema, derive)
        return values

    def _role(self, addon: Addon, scope: dict[str, Any]) -> Role | None:
        identity = scope["identity"]
        if identity["mode"] is None:
            return None
        statements = statements_of(addon, scope)
        if statements is None:
            return None
        return Role(
            addon=addon.name,
            name=identity["roleName"],
            namespace=scope["namespace"],
            service_account=identity["serviceAccount"],
            mode=identity["mode"],
            statements=statements,
        )


class _Assuming(_Resolver):
    """Resolves a document that need not be right: no add-on's rules, and the patches of another cluster."""

    def __init__(self, document: Document, catalogue: Catalogue, schema: Schema, like: Cluster) -> None:
        super().__init__(document, catalogue, schema, "")
        self._known = {enabled.addon.name: enabled.patches for enabled in like.addons}

    def cluster(self) -> Cluster | None:
        partition = partition_of(self.data["aws"]["region"])
        fits = all(self._release(self.catalogue.addon(name)) for name in self.sections)
        return self._cluster(partition) if partition and fits else None

    def _check(self, addon: Addon, scope: dict[str, Any]) -> None:
        """Judges nothing."""

    def _patches(self, addon: str, values: dict[str, Any]) -> tuple[Patch, ...]:  # noqa: ARG002 - of the signature
        return self._known.get(addon, ())


def core_of(given: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """What cluster.yaml says outside of ``addons``, with all defaults. Raises TemplateError."""
    core = {**schema, "properties": {key: value for key, value in schema["properties"].items() if key != "addons"}}
    found: dict[str, Any] = with_defaults(given, core, schema, _deriver("schemas/cluster.schema.json", given))
    return found


def _deriver(file: str, names: dict[str, Any]) -> Callable[[Any], Any]:
    """What gives the values of the ``x-default`` in a file where expressions see these names."""
    scope: dict[str, Any] = {}

    def derive(default: Any) -> Any:  # noqa: ANN401 - any YAML value
        if not scope:  # many files leave nothing to derive
            scope.update(new_scope({name: named(value) for name, value in names.items()}))
        return evaluate(compiled(default, file), scope)

    return derive
