"""external-dns, version by version, held against the chart, the flags and the CRD in its own Go module.

Where okgen departs, tests/parity.yaml says so with a reason: an unlisted difference fails, and so does a listed one
that is gone.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import parity
import rendering

if TYPE_CHECKING:
    from pathlib import Path

    from rendering import Result

ADDON = "external-dns"
DEFINITION: dict[str, Any] = rendering.load((rendering.OVERLAYS / ADDON / "addon.yaml").read_text(encoding="utf-8"))
RELEASES: dict[str, dict[str, Any]] = {each["version"]: each for each in DEFINITION["versions"]}
VERSIONS = sorted(RELEASES)
OLD_PREFIX, NEW_PREFIX = "external-dns.alpha.kubernetes.io/", "external-dns.kubernetes.io/"
GATEWAY = [f"gateway-{kind}route" for kind in ("grpc", "http", "tcp", "tls", "udp")]
SERVICE_TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
ZONES: list[dict[str, Any]] = [
    {"name": "shop.example.com", "id": "Z0123456789ABCDEFGHIJ"},
    {"name": "corp.example.net", "id": "Z9876543210ABCDEFGHIJ", "private": True},
]

# Name of the case -> the add-on's section, the zones, and what says the same to the chart.
CASES: dict[str, tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]] = {
    "defaults": (
        {},
        ZONES[:1],
        {
            "domainFilters": ["shop.example.com"],
            "extraArgs": [
                "--service-type-filter=LoadBalancer",
                "--zone-id-filter=Z0123456789ABCDEFGHIJ",
                "--aws-zone-type=public",
            ],
        },
    ),
    "every kind of object": (
        {
            "sources": ["service", "ingress", "crd", *GATEWAY],
            "serviceTypeFilter": SERVICE_TYPES,
            "publishInternalServices": True,
            "ingressClasses": ["alb"],
            "labelFilter": "dns=yes",
            "excludeDomains": ["internal.shop.example.com"],
        },
        ZONES,
        {
            "sources": ["service", "ingress", "crd", *GATEWAY],
            "labelFilter": "dns=yes",
            "domainFilters": ["shop.example.com", "corp.example.net"],
            "excludeDomains": ["internal.shop.example.com"],
            "extraArgs": [
                *(f"--service-type-filter={kind}" for kind in SERVICE_TYPES),
                *(f"--zone-id-filter={zone['id']}" for zone in ZONES),
                "--publish-internal-services",
                "--ingress-class=alb",
            ],
        },
    ),
    "another account, taken over": (
        {
            "policy": "sync",
            "sources": ["ingress"],
            "zoneType": "private",
            "annotationPrefix": OLD_PREFIX,
            "managedRecordTypes": ["A", "AAAA", "TXT"],
            "excludeRecordTypes": ["AAAA"],
            "txtOwnerId": "default",
            "txtSuffix": "-%{record_type}-owner",
            "txtWildcardReplacement": "",
            "assumeRole": {"roleArn": "arn:aws:iam::210987654321:role/dns-writer", "externalId": "shop"},
            "dryRun": True,
            "events": True,
            "interval": "5m",
            "zonesCacheDuration": "10m",
            "logLevel": "debug",
        },
        [{"name": "shop.example.com"}, {"name": "corp.example.net", "private": True}],
        {
            "policy": "sync",
            "sources": ["ingress"],
            "annotationPrefix": OLD_PREFIX,
            "managedRecordTypes": ["A", "AAAA", "TXT"],
            "txtOwnerId": "default",
            "txtPrefix": None,
            "txtSuffix": "-%{record_type}-owner",
            "domainFilters": ["corp.example.net"],
            "triggerLoopOnEvent": True,
            "interval": "5m",
            "logLevel": "debug",
            "extraArgs": [
                "--aws-zone-type=private",
                "--exclude-record-types=AAAA",
                "--aws-assume-role=arn:aws:iam::210987654321:role/dns-writer",
                "--aws-assume-role-external-id=shop",
                "--dry-run",
            ],
        },
    ),
}
ALWAYS = ["--txt-wildcard-replacement=_wildcard", "--aws-zones-cache-duration=1h"]
ALWAYS_BUT = {"another account, taken over": ["--aws-zones-cache-duration=10m"]}


@functools.cache
def reviewed() -> parity.Reviewed:
    return parity.Reviewed(ADDON)


def cluster(version: str, section: dict[str, Any], zones: list[dict[str, Any]]) -> dict[str, Any]:
    addons = {ADDON: {"version": version, **section}}
    return rendering.minimal(profile="development", dns={"zones": zones}, addons={"cert-manager": None} | addons)


def chart_values(version: str, case: str) -> dict[str, Any]:
    """The settings of a case in the chart's words, its defaults apart; what it has no word for goes as an argument."""
    values = CASES[case][2]
    said = {
        "provider": {"name": "aws"},
        "image": {"tag": f"v{version}"},
        "env": [{"name": "AWS_REGION", "value": "eu-west-1"}],
        "resources": DEFINITION["workloads"]["controller"]["resources"],
        "logFormat": "json",
        "policy": "upsert-only",
        "annotationPrefix": OLD_PREFIX if version == "0.21.0" else NEW_PREFIX,
        "managedRecordTypes": ["A", "AAAA", "CNAME"],
        "txtOwnerId": "demo-eu-west-1-2a33349e",
        "txtPrefix": "_externaldns-%{record_type}.",
    }
    return said | values | {"extraArgs": [*values["extraArgs"], *ALWAYS_BUT.get(case, ALWAYS)]}


@functools.cache
def source(version: str) -> Path:
    return parity.module("sigs.k8s.io/external-dns", f"v{version}")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Renders a case with a version once."""

    def render(version: str, case: str) -> Result:
        section, zones, _ = CASES[case]
        return rendering.rendered(tmp_path_factory.mktemp("case"), cluster(version, section, zones))

    return functools.cache(render)


def arguments(result: Result) -> list[str]:
    (container,) = result.object("Deployment", ADDON)["spec"]["template"]["spec"]["containers"]
    found: list[str] = container["args"]
    return found


# ------------------------------------------------------------------------------------------------------------ the chart


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("version", VERSIONS)
def test_as_the_chart(version: str, case: str, trees: Any, tmp_path: Path) -> None:
    chart = source(version) / "charts" / ADDON

    theirs = parity.charted(chart, ADDON, ADDON, chart_values(version, case), tmp_path)

    assert reviewed().unlisted(parity.apart(theirs, parity.rendered(trees(version, case), ADDON))) == []


def test_every_listed_difference_is_there(trees: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    for version in VERSIONS:
        for case in CASES:
            test_as_the_chart(version, case, trees, tmp_path_factory.mktemp("chart"))
    assert reviewed().unneeded() == []


# ------------------------------------------------------------------------------------------------------------ the flags


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("version", VERSIONS)
def test_flags_exist(version: str, case: str, trees: Any) -> None:
    known = flags(version)
    for argument in arguments(trees(version, case)):
        flag, equals, _ = argument.removeprefix("--").partition("=")
        assert flag in known, f"{version} knows no --{flag}"
        assert bool(equals) != known[flag], f"--{flag} of {version}: with a value or without?"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_legacy_prefix_is_read_where_the_version_can(version: str, tmp_path: Path) -> None:
    result = rendering.render(tmp_path, cluster(version, {"legacyAnnotations": True}, ZONES[:1]))
    can = "enable-legacy-annotation-prefix" in flags(version)
    assert RELEASES[version]["facts"]["readsLegacyAnnotations"] == can
    assert result.code == (0 if can else 1)
    assert ("OKG403" in result.codes) != can
    if can:
        assert "--enable-legacy-annotation-prefix" in arguments(result)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_annotation_prefix_is_the_versions_own(version: str, trees: Any) -> None:
    own = re.search(r'`--annotation-prefix="([^"]+)"`', (source(version) / "docs/flags.md").read_text(encoding="utf-8"))
    assert own
    assert RELEASES[version]["facts"]["annotationPrefix"] == own[1]
    assert f"--annotation-prefix={own[1]}" in arguments(trees(version, "defaults"))


@pytest.mark.parametrize("version", VERSIONS)
def test_sources_and_types_of_services_exist(version: str) -> None:
    """The values that the schema offers are values that the program takes."""
    schema = json.loads((rendering.OVERLAYS / ADDON / "values.schema.json").read_text(encoding="utf-8"))["properties"]
    text = (source(version) / "docs/flags.md").read_text(encoding="utf-8")
    for key, flag in (
        ("sources", "--source="),
        ("serviceTypeFilter", "--service-type-filter="),
        ("policy", "--policy="),
        ("logLevel", "--log-level="),
    ):
        (line,) = [each for each in text.splitlines() if each.startswith(f"| `{flag}")]
        offered = schema[key].get("enum") or schema[key]["items"]["enum"]
        assert [value for value in offered if not re.search(rf"\b{value}\b", line)] == [], key


def flags(version: str) -> dict[str, bool]:
    """The flags of a version by name; True for those that take no value."""
    text = (source(version) / "docs/flags.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `--(\[no-\])?([a-z0-9-]+)(=?)", text, flags=re.MULTILINE)
    assert len(found) > 100
    return {name: bool(switch) and not equals for switch, name, equals in found}


# ----------------------------------------------------------------------------------------------------------------- CRDs


@pytest.mark.parametrize("version", VERSIONS)
def test_the_pinned_definition_is_the_versions_own(version: str) -> None:
    """One pin serves all versions, as only a remark on the generator differs."""
    (pin,) = RELEASES[version]["crds"]
    pinned = next(
        path
        for other in VERSIONS
        for path in [source(other) / "config/crd/standard" / pin["file"]]
        if sha256(path) == pin["sha256"]
    )
    own = source(version) / "config/crd/standard" / pin["file"]
    mine, theirs = (rendering.load(path.read_text(encoding="utf-8")) for path in (pinned, own))
    assert mine["spec"] == theirs["spec"]
    assert pin["names"] == {theirs["metadata"]["name"]: theirs["spec"]["names"].get("shortNames", [])}


def test_the_definition_comes_with_its_source_only(trees: Any) -> None:
    (pin,) = RELEASES[VERSIONS[0]]["crds"]
    path = f"addons/{ADDON}/kustomization.yaml"
    assert pin["url"] in trees(VERSIONS[0], "every kind of object").tree[path]
    assert pin["url"] not in trees(VERSIONS[0], "defaults").tree[path]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
