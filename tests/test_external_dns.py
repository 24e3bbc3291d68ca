"""external-dns: its rules, and an IAM policy that covers every name it writes and none beside."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any

import pytest

import rendering

if TYPE_CHECKING:
    from pathlib import Path

ADDON = "external-dns"
SHOP = {"name": "shop.example.com", "id": "Z0123456789ABCDEFGHIJ"}
NAMELESS = {"name": "shop.example.com"}
TWIN = {"name": "shop.example.com", "id": "Z9876543210ABCDEFGHIJ", "private": True}
CHANGE = "route53:ChangeResourceRecordSets"


def cluster(section: dict[str, Any] | None, *zones: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    return rendering.minimal(dns={"zones": list(zones)}, addons={ADDON: section}, **overrides)


def found(folder: Path, section: dict[str, Any], *zones: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Code, severity and place of each problem."""
    result = rendering.render(folder, cluster(section, *zones), "--format", "json", command="validate")
    problems = json.loads(result.out)["problems"]
    return [(each["code"], each["severity"], each["path"].removeprefix(f"addons.{ADDON}")) for each in problems]


@pytest.mark.parametrize(
    ("section", "zones", "expected"),
    [
        ({}, [SHOP], []),
        ({}, [], [("OKG401", "error", "")]),
        ({"zoneType": "private"}, [SHOP], [("OKG401", "error", ".zoneType")]),
        ({"txtSuffix": "-x", "txtPrefix": "%{record_type}."}, [SHOP], [("OKG403", "error", ".txtSuffix")]),
        ({"txtSuffix": "-x"}, [SHOP], []),
        ({"txtPrefix": ""}, [SHOP], []),
        ({"txtPrefix": "%{record_type}-"}, [SHOP], [("OKG404", "warning", ".txtPrefix")]),
        ({"txtPrefix": "owner."}, [SHOP], [("OKG404", "warning", ".txtPrefix")]),
        ({"txtOwnerId": "x" * 101}, [SHOP], [("OKG404", "warning", ".txtOwnerId")]),
        (
            {"managedRecordTypes": ["A"], "excludeRecordTypes": ["A", "TXT"]},
            [SHOP],
            [("OKG403", "error", ".excludeRecordTypes")],
        ),
        ({"sources": ["service"], "ingressClasses": ["alb"]}, [SHOP], [("OKG403", "error", ".ingressClasses")]),
        ({"publishInternalServices": True}, [SHOP], [("OKG403", "error", ".publishInternalServices")]),
        ({"publishInternalServices": True, "serviceTypeFilter": ["ClusterIP"]}, [SHOP], []),
        (
            {"version": "0.22.0", "sources": ["crd"], "annotationFilter": "a=b"},
            [SHOP],
            [("OKG403", "error", ".annotationFilter")],
        ),
        ({"version": "0.23.0", "sources": ["crd"], "annotationFilter": "a=b"}, [SHOP], []),
        ({"version": "0.22.0", "legacyAnnotations": True}, [SHOP], [("OKG403", "error", ".legacyAnnotations")]),
        (
            {
                "version": "0.23.0",
                "legacyAnnotations": True,
                "annotationPrefix": "external-dns.alpha.kubernetes.io/",
            },
            [SHOP],
            [("OKG403", "error", ".legacyAnnotations")],
        ),
        (
            {"assumeRole": {"roleArn": "arn:aws-cn:iam::210987654321:role/dns"}},
            [SHOP],
            [("OKG403", "error", ".assumeRole.roleArn")],
        ),
        ({}, [SHOP, TWIN], [("OKG404", "warning", "")]),
        ({"zoneType": "public"}, [SHOP, TWIN], []),
        ({}, [SHOP, {**TWIN, "name": "corp.internal"}], []),
        ({"policy": "sync"}, [SHOP], []),
        ({"policy": "sync"}, [NAMELESS], [("OKG404", "warning", ".policy")]),
    ],
)
def test_rules(
    section: dict[str, Any], zones: list[dict[str, Any]], expected: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    assert found(tmp_path, section, *zones) == expected


def test_the_owner_names_account_region_and_cluster(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster(None, SHOP, aws={"clusterName": "Shop_1"}))
    assert "--txt-owner-id=Shop_1-eu-west-1-2a33349e" in arguments(result)


def test_zones_that_share_a_name_are_filtered_by_it_once(tmp_path: Path) -> None:
    found = arguments(rendering.rendered(tmp_path, cluster(None, SHOP, TWIN)))
    assert [each for each in found if each.startswith(("--domain-filter", "--zone-id-filter", "--aws-zone-type"))] == [
        "--domain-filter=shop.example.com",
        "--zone-id-filter=Z0123456789ABCDEFGHIJ",
        "--zone-id-filter=Z9876543210ABCDEFGHIJ",
    ]


def test_one_zone_without_id_keeps_the_others_in_sight(tmp_path: Path) -> None:
    found = arguments(rendering.rendered(tmp_path, cluster(None, SHOP, {"name": "other.example.com"})))
    assert not [each for each in found if each.startswith("--zone-id-filter")]
    assert "--aws-zone-type=public" in found


# ------------------------------------------------------------------------------------------------------------------ IAM


def statements(folder: Path, section: dict[str, Any] | None, *zones: dict[str, Any]) -> list[dict[str, Any]]:
    result = rendering.rendered(folder, cluster(section, *zones))
    allowed: list[dict[str, Any]] = json.loads(result.tree[f"iam/{ADDON}.policy.json"])["Statement"]
    return allowed


def owner_record(arguments: list[str], host: str, kind: str) -> str:
    """The name of a host's ownership record, as registry/mapper of external-dns 0.21 to 0.23 makes it."""
    given = dict(each.removeprefix("--").split("=", 1) for each in arguments if each.startswith("--txt-"))
    first, _, rest = host.partition(".")
    if first == "*" and "txt-wildcard-replacement" in given:
        first = given["txt-wildcard-replacement"]
    prefix, suffix = given.get("txt-prefix", ""), given.get("txt-suffix", "")
    if "%{record_type}" not in prefix + suffix:
        first = f"{kind.lower()}-{first}"
    prefix, suffix = (each.replace("%{record_type}", kind.lower()) for each in (prefix, suffix))
    return f"{prefix}{first}{suffix}.{rest}"


def normalized(name: str) -> str:
    """As Route 53 writes names in condition keys."""
    return name.lower().replace("*", r"\052")


def admits(allowed: list[dict[str, Any]], action: str, kind: str, name: str) -> bool:
    """Whether a change of one record is within the conditions of a statement."""
    key = "route53:ChangeResourceRecordSets"
    for each in allowed:
        if CHANGE not in each["Action"]:
            continue
        equal, like = (each["Condition"].get(f"ForAllValues:{test}", {}) for test in ("StringEquals", "StringLike"))
        names = like.get(f"{key}NormalizedRecordNames", ["*"])
        if (
            action in equal[f"{key}Actions"]
            and kind in equal[f"{key}RecordTypes"]
            and any(fnmatch.fnmatchcase(normalized(name), pattern) for pattern in names)
        ):
            return True
    return False


@pytest.mark.parametrize("host", [f"{label}shop.example.com" for label in ("", "www.", "*.", "*.a.")])
def test_a_host_and_its_ownership_record_lie_in_the_zone_and_in_the_policy(host: str, tmp_path: Path) -> None:
    given = arguments(rendering.rendered(tmp_path / "a", cluster(None, NAMELESS)))
    allowed = statements(tmp_path / "b", None, NAMELESS)
    kinds = ("A", "AAAA", "CNAME")
    owners = [owner_record(given, host, kind) for kind in kinds]
    assert all(each.endswith(".shop.example.com") for each in owners)
    assert len(set(owners)) == len(kinds)
    assert "*" not in "".join(owners)
    for action in ("CREATE", "UPSERT"):
        assert all(admits(allowed, action, kind, host) for kind in kinds)
        assert all(admits(allowed, action, "TXT", each) for each in owners)
        assert not admits(allowed, action, "MX", host)
    assert not admits(allowed, "DELETE", "A", host)


@pytest.mark.parametrize("name", ["evilshop.example.com", "example.com", "shop.example.com.evil.com", "a.example.com"])
def test_no_name_beside_the_zone_is_in_the_policy(name: str, tmp_path: Path) -> None:
    assert not admits(statements(tmp_path, None, NAMELESS), "UPSERT", "A", name)


def test_zones_are_named_where_all_have_ids(tmp_path: Path) -> None:
    allowed = statements(tmp_path, {"policy": "sync"}, SHOP, TWIN)
    arns = [f"arn:aws:route53:::hostedzone/{zone['id']}" for zone in (SHOP, TWIN)]
    assert [(each["Action"], each["Resource"]) for each in allowed] == [
        ([CHANGE], arns),
        (["route53:ListResourceRecordSets"], arns),
        (["route53:ListHostedZones"], "*"),
    ]
    assert admits(allowed, "DELETE", "TXT", "www.shop.example.com")


def test_create_only_may_only_create(tmp_path: Path) -> None:
    allowed = statements(tmp_path, {"policy": "create-only"}, SHOP)
    host = "www.shop.example.com"
    assert [each for each in ("CREATE", "UPSERT", "DELETE") if admits(allowed, each, "A", host)] == ["CREATE"]


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    assert CHANGE not in [action for each in statements(tmp_path, {"dryRun": True}, SHOP) for action in each["Action"]]


@pytest.mark.parametrize(("identity", "tags"), [("pod-identity", ["sts:TagSession"]), ("irsa", [])])
def test_another_accounts_role_is_all_that_may_be_assumed(identity: str, tags: list[str], tmp_path: Path) -> None:
    role = "arn:aws:iam::210987654321:role/dns-writer"
    aws = {"identity": identity, "oidcIssuer": rendering.OIDC_ISSUER}
    result = rendering.rendered(tmp_path, cluster({"assumeRole": {"roleArn": role}}, SHOP, aws=aws))
    (statement,) = json.loads(result.tree[f"iam/{ADDON}.policy.json"])["Statement"]
    assert statement["Action"] == ["sts:AssumeRole", *tags]
    assert statement["Resource"] == role


def test_many_zones_without_ids_fit_in_policies(tmp_path: Path) -> None:
    zones = [{"name": f"zone-{number}.example.com"} for number in range(120)]
    result = rendering.rendered(tmp_path, cluster(None, *zones))
    files = [path for path in result.tree if path.startswith(f"iam/{ADDON}.policy")]
    allowed = [each for path in files for each in json.loads(result.tree[path])["Statement"]]
    assert len(files) > 1
    assert all(admits(allowed, "UPSERT", "A", zone["name"]) for zone in zones)


def arguments(result: rendering.Result) -> list[str]:
    (container,) = result.object("Deployment", ADDON)["spec"]["template"]["spec"]["containers"]
    given: list[str] = container["args"]
    return given
