"""cert-manager: its rules, and what an ACME issuer may do in AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import rendering

if TYPE_CHECKING:
    from pathlib import Path

ADDON = "cert-manager"
SHOP = {"name": "shop.example.com", "id": "Z0123456789ABCDEFGHIJ"}
INTERNAL = {"name": "corp.internal", "id": "Z9876543210ABCDEFGHIJ", "private": True}
OWN_AUTHORITY = "https://ca.corp.internal/acme/directory"
ROLE = "arn:aws:iam::210987654321:role/dns-writer"


def cluster(section: dict[str, Any], *zones: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    return rendering.minimal(dns={"zones": list(zones)}, addons={ADDON: section}, **overrides)


def acme(*issuers: dict[str, Any]) -> dict[str, Any]:
    return {"acme": {"issuers": [{"name": f"issuer-{number}", **each} for number, each in enumerate(issuers)]}}


@pytest.mark.parametrize(
    ("section", "zones", "expected"),
    [
        (acme({}), [SHOP, INTERNAL], []),
        (acme({}), [], [("OKG401", "error", ".acme.issuers[0].zones")]),
        (acme({}), [INTERNAL], [("OKG401", "error", ".acme.issuers[0].zones")]),
        (
            acme({"zones": ["shop.example.com", "shop.example.org"]}),
            [SHOP],
            [("OKG401", "error", ".acme.issuers[0].zones[1]")],
        ),
        (acme({"name": "a"}, {"name": "a"}), [SHOP], [("OKG403", "error", ".acme.issuers[1].name")]),
        (acme({"zones": ["corp.internal"]}), [INTERNAL], [("OKG403", "error", ".acme.issuers[0].zones[0]")]),
        (acme({"zones": ["corp.internal"], "server": OWN_AUTHORITY}), [INTERNAL], []),
        (
            acme({"zones": ["corp.internal"], "server": OWN_AUTHORITY}),
            [{"name": "corp.internal", "private": True}],
            [("OKG403", "error", ".acme.issuers[0].zones[0]")],
        ),
        (acme({}), [SHOP, {**INTERNAL, "name": "shop.example.com"}], [("OKG404", "warning", ".acme")]),
        (acme({}), [SHOP, {**INTERNAL, "name": "in.shop.example.com"}], [("OKG404", "warning", ".acme")]),
        (
            acme({}) | {"dns01RecursiveNameservers": ["1.1.1.1:53"], "dns01RecursiveNameserversOnly": True},
            [SHOP, {**INTERNAL, "name": "shop.example.com"}],
            [],
        ),
        (
            acme({"roleArn": "arn:aws-us-gov:iam::210987654321:role/dns"}),
            [SHOP],
            [("OKG403", "error", ".acme.issuers[0].roleArn")],
        ),
        (acme({}) | {"internalOnly": True}, [SHOP], [("OKG403", "error", ".internalOnly")]),
        ({"internalOnly": True, "gatewayApi": True}, [], [("OKG403", "error", ".internalOnly")]),
        ({"internalOnly": True}, [], []),
        ({"webhook": {"securePort": 9402}}, [], [("OKG403", "error", ".webhook.securePort")]),
    ],
)
def test_rules(
    section: dict[str, Any], zones: list[dict[str, Any]], expected: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    result = rendering.render(tmp_path, cluster(section, *zones), "--format", "json", command="validate")
    problems = json.loads(result.out)["problems"]
    found = [(each["code"], each["severity"], each["path"].removeprefix(f"addons.{ADDON}")) for each in problems]
    assert found == expected


def allowed(folder: Path, section: dict[str, Any], *zones: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    """The statements of the policy by their Sid."""
    result = rendering.rendered(folder, cluster(section, *zones, **overrides))
    found = json.loads(result.tree[f"iam/{ADDON}.policy.json"])["Statement"]
    return {each["Sid"]: each for each in found}


def test_zones_with_and_without_ids_have_statements_of_their_own(tmp_path: Path) -> None:
    found = allowed(tmp_path, acme({}), SHOP, {"name": "other.example.com"})
    assert list(found) == ["ChangeChallenges", "ChangeChallengesByName", "FindZones", "WaitForChanges"]
    assert found["ChangeChallenges"]["Resource"] == ["arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"]
    names = found["ChangeChallengesByName"]["Condition"]["ForAllValues:StringLike"]
    assert list(names.values()) == [["_acme-challenge.other.example.com", "_acme-challenge.*.other.example.com"]]


def test_only_the_zones_of_issuers_are_opened(tmp_path: Path) -> None:
    other = {"name": "other.example.com", "id": "Z9876543210ABCDEFGHIJ"}
    found = allowed(tmp_path, acme({"zones": ["other.example.com"]}), SHOP, other)
    assert found["ChangeChallenges"]["Resource"] == ["arn:aws:route53:::hostedzone/Z9876543210ABCDEFGHIJ"]


def test_a_public_zone_wins_over_its_private_twin(tmp_path: Path) -> None:
    twin = {**INTERNAL, "name": "shop.example.com"}
    result = rendering.rendered(tmp_path, cluster(acme({}), twin, SHOP))
    (solver,) = result.object("ClusterIssuer", "issuer-0")["spec"]["acme"]["solvers"]
    assert solver["dns01"]["route53"] == {"hostedZoneID": "Z0123456789ABCDEFGHIJ"}
    (change, _) = json.loads(result.tree[f"iam/{ADDON}.policy.json"])["Statement"]
    assert change["Resource"] == ["arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"]


@pytest.mark.parametrize(("identity", "tags"), [("pod-identity", ["sts:TagSession"]), ("irsa", [])])
def test_another_accounts_role_is_all_that_may_be_assumed(identity: str, tags: list[str], tmp_path: Path) -> None:
    aws = {"identity": identity, "oidcIssuer": rendering.OIDC_ISSUER}
    found = allowed(tmp_path, acme({"roleArn": ROLE}, {"roleArn": ROLE}), SHOP, aws=aws)
    assert list(found) == ["AssumeRolesOfZones"]
    assert found["AssumeRolesOfZones"]["Action"] == ["sts:AssumeRole", *tags]
    assert found["AssumeRolesOfZones"]["Resource"] == [ROLE]


def test_everything_an_issuer_can_say(tmp_path: Path) -> None:
    binding = {"keyId": "kid-1", "secretName": "acme-eab"}
    said = {"email": "a@example.com", "profile": "tlsserver", "preferredChain": "ISRG Root X1", "roleArn": ROLE}
    issuer = {**said, "privateKeySecretName": "key", "externalAccountBinding": binding}
    result = rendering.rendered(tmp_path, cluster(acme(issuer), SHOP))
    assert result.object("ClusterIssuer", "issuer-0")["spec"]["acme"] == {
        "server": "https://acme-v02.api.letsencrypt.org/directory",
        "email": "a@example.com",
        "preferredChain": "ISRG Root X1",
        "profile": "tlsserver",
        "externalAccountBinding": {"keyID": "kid-1", "keySecretRef": {"name": "acme-eab", "key": "secret"}},
        "privateKeySecretRef": {"name": "key"},
        "solvers": [
            {
                "selector": {"dnsZones": ["shop.example.com"]},
                "dns01": {"route53": {"hostedZoneID": "Z0123456789ABCDEFGHIJ", "role": ROLE}},
            }
        ],
    }


def test_the_region_is_said_where_aws_is_called(tmp_path: Path) -> None:
    for folder, section, expected in (("on", acme({}), ["eu-west-1"]), ("off", {}, [])):
        result = rendering.rendered(tmp_path / folder, cluster(section, SHOP))
        (container,) = result.object("Deployment", ADDON)["spec"]["template"]["spec"]["containers"]
        assert [each["value"] for each in container["env"] if each["name"] == "AWS_REGION"] == expected
