"""Cross-checks of add-ons: versions, what two of them claim, resources, and the rules their folders state."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from okgen.addons.catalogue import evaluate
from okgen.resolve.quantity import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from okgen.addons.catalogue import Addon, Release
    from okgen.problem import Path, Problem
    from okgen.read.source import Document


def choose_release(
    document: Document, addon: Addon, wanted: str | None, minor: int
) -> tuple[Release | None, list[Problem]]:
    """The release to render, or None with the problem: the one asked for, else the newest that fits."""
    fitting = [release for release in addon.releases if release.fits(minor)]
    release = addon.release(wanted) if wanted else (fitting or [None])[0]  # type: ignore[list-item]
    if release is None or not release.fits(minor):
        path: Path = ("addons", addon.name, "version") if wanted else ("addons", addon.name)
        subject = f"{addon.name} {wanted}" if wanted else addon.name
        message = f"{subject} does not run on Kubernetes 1.{minor}"
        return None, [document.problem("OKG302", path, message, _other_releases(addon, fitting), key=not wanted)]
    problems = []
    first, last = release.tested
    if not first <= minor <= last:
        tested = f"1.{first}" if first == last else f"1.{first} to 1.{last}"
        message = f"upstream tests {addon.name} {release.version} on Kubernetes {tested}, not on 1.{minor}"
        path = ("addons", addon.name)
        help_text = "okgen renders it all the same; try it on a development cluster first"
        problems = [document.problem("OKG303", path, message, help_text, key=True, severity="warning")]
    return release, problems


def _other_releases(addon: Addon, fitting: list[Release]) -> str:
    if fitting:
        return f"versions that do: {', '.join(release.version for release in fitting)}"
    ranges = [
        f"{release.version} runs on 1.{release.minimum}"
        + (f" to 1.{release.maximum}" if release.maximum else " and later")
        for release in addon.releases
    ]
    return "; ".join([*ranges, *([way_out(addon)] if addon.definition["lifecycle"] == "archived" else [])])


def way_out(addon: Addon) -> str:
    """How to leave an archived add-on, in a sentence."""
    definition = addon.definition
    carried = definition.get("carriesOver", "")
    return (
        f"its successor is {definition['successor']}{f': {carried}' if carried else ''}; see {definition['migration']}"
    )


def claims(document: Document, addons: Sequence[Addon]) -> Iterator[Problem]:
    """Ingress classes and CRD short names that two add-ons of a cluster want for themselves."""
    classes: dict[str, Addon] = {}
    short_names: dict[str, Addon] = {}
    for addon in addons:
        path: Path = ("addons", addon.name)
        for name in addon.definition.get("claims", {}).get("ingressClasses", []):
            if name in classes:
                message = f"{addon.name} and {classes[name].name} both serve the ingress class {name}"
                yield document.problem("OKG311", path, message, "keep one of them", key=True)
            classes.setdefault(name, addon)
        for name in sorted(_short_names(addon)):
            if name in short_names:
                message = f"{addon.name} and {short_names[name].name} both have the CRD short name {name}"
                help_text = f"kubectl get {name} finds one of them only: write the full name with its group"
                yield document.problem("OKG311", path, message, help_text, key=True, severity="warning")
            short_names.setdefault(name, addon)


@cache
def _short_names(addon: Addon) -> set[str]:
    return {name for crds in addon.releases[0].crds for short in crds.names.values() for name in short}


def issuer_missing(document: Document, aws: dict[str, Any], needing: Sequence[str]) -> Iterator[Problem]:
    """``aws.oidcIssuer`` is not there though the add-ons named authenticate by it."""
    if needing and not aws.get("oidcIssuer"):
        why = "as aws.identity is irsa" if aws["identity"] == "irsa" else "as irsa is the only identity it can use"
        yield document.problem(
            "OKG305",
            ("aws", "oidcIssuer"),
            f'missing key "oidcIssuer" in aws: needed for {", ".join(needing)}, {why}',
            "aws eks describe-cluster --query cluster.identity.oidc.issuer prints it",
            key=True,
        )


def find(document: Document, addon: Addon, scope: dict[str, Any]) -> Iterator[Problem]:
    """Problems of one add-on that is on; ``scope`` is what its templates see. Raises TemplateError."""
    here: Path = ("addons", addon.name)
    values = scope["values"]
    if addon.definition["lifecycle"] == "archived":
        message = f"{addon.name} {scope['version']} is archived upstream"
        yield document.problem("OKG402", here, message, way_out(addon), key=True, severity="warning")
    if values["namespace"] == scope["gitops"]["argocd"]["namespace"]:
        message = f"{addon.name} may not run in Argo CD's own namespace {values['namespace']}"
        help_text = "whoever can deploy there is Argo CD's administrator; choose another namespace"
        yield document.problem("OKG312", (*here, "namespace"), message, help_text)
    yield from _limits(document, addon, values)
    yield from _tolerations(document, addon, values)
    yield from _rules(document, addon, scope)


def _limits(document: Document, addon: Addon, values: dict[str, Any]) -> Iterator[Problem]:
    for each in addon.workloads:
        given = addon.section(each, values)["resources"]
        merged = each.with_own(given)
        limits = merged.get("limits", {})
        for name, request in merged.get("requests", {}).items():
            if name in limits and amount(request) > amount(limits[name]):
                step: Path = () if each is addon.workloads[0] else (each.name,)
                kind = "requests" if name in given.get("requests", {}) else "limits"
                yield document.problem(
                    "OKG313",
                    ("addons", addon.name, *step, "resources", kind, name),
                    f"{each.deployment} requests {request} {name} with a limit of {limits[name]}",
                    f"set resources.limits.{name} and resources.requests.{name} so that the request fits",
                )


def _tolerations(document: Document, addon: Addon, values: dict[str, Any]) -> Iterator[Problem]:
    """What the API server refuses; source: k8s.io/kubernetes, pkg/apis/core/validation, ValidateTolerations."""
    for each in addon.workloads:
        step: Path = () if each is addon.workloads[0] else (each.name,)
        for number, toleration in enumerate(addon.section(each, values)["tolerations"]):
            path: Path = ("addons", addon.name, *step, "tolerations", number)
            exists = toleration.get("operator") == "Exists"
            if exists and toleration.get("value"):
                yield document.problem("OKG315", (*path, "value"), "a toleration with operator Exists takes no value")
            if not exists and "key" not in toleration:
                help_text = "name the taint's key, or tolerate every taint with operator: Exists"
                yield document.problem("OKG315", path, "a toleration without key needs operator Exists", help_text)
            if "tolerationSeconds" in toleration and toleration.get("effect") != "NoExecute":
                message = "tolerationSeconds holds only for effect NoExecute"
                yield document.problem("OKG315", (*path, "tolerationSeconds"), message)


def _rules(document: Document, addon: Addon, scope: dict[str, Any]) -> Iterator[Problem]:
    findings = evaluate(addon.checks, scope)
    for found in findings if isinstance(findings, list) else []:
        path = path_of(addon, found["at"])
        is_section = len(path) <= len(("addons", addon.name))  # point at its key, not at what is below it
        yield document.problem(
            found["code"], path, found["message"], found["help"], key=is_section, severity=found["severity"]
        )


def path_of(addon: Addon, at: str) -> Path:
    """``stores[0].prefix`` below the add-on's section, or ``/aws/vpcId`` from the top of the file."""
    if at.startswith("/"):
        return tuple(at.strip("/").split("/"))
    steps = at.replace("]", "").replace("[", ".").split(".")
    return ("addons", addon.name, *(int(step) if step.isdigit() else step for step in steps if step))
