"""What only a fleet can see: each rule broken once, with both places, and the near misses that are right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import rendering
from okgen.addons.catalogue import Catalogue
from okgen.codes import CODES
from okgen.fleet import rules as fleet_rules
from okgen.fleet.facts import Claim, Facts, Spot
from okgen.fleet.versions import numbers

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = "Z0123456789ABCDEFGHIJ", "ZABCDEFGHIJ0123456789"
A_FIRST, A_SECOND = ({"zones": [{"name": "a.example.com", "id": each}]} for each in (FIRST, SECOND))


def cluster(name: str, addons: dict[str, Any] | None = None, **overrides: Any) -> dict[str, Any]:
    """A cluster of that name that has nothing in common with others but the account, the region and a zone."""
    zones = overrides.pop("zones", [{"name": "shop.example.com"}])
    return rendering.minimal(metadata={"name": name}, addons=addons, dns={"zones": zones}, **overrides)


def dns(**values: Any) -> dict[str, Any]:
    return {"external-dns": values or None}


def secrets(*prefixes: str, **store: Any) -> dict[str, Any]:
    stores = [{"name": f"store-{number}", "prefix": prefix, **store} for number, prefix in enumerate(prefixes)]
    return {"external-secrets": {"stores": stores}}


def judged(folder: Path, *clusters: dict[str, Any], command: str = "validate") -> list[dict[str, Any]]:
    """The problems of the rules about fleets, from files a.okgen.yaml, b.okgen.yaml, …, in one repository."""
    (folder / ".git").mkdir(exist_ok=True)
    for letter, each in zip("abcdefgh", clusters, strict=False):
        (folder / f"{letter}.okgen.yaml").write_text(rendering.written(each), encoding="utf-8")
    _, out, err = rendering.okgen(command, ".", "--format", "json", cwd=folder)
    assert "Traceback" not in err
    return [each for each in json.loads(out)["problems"] if each["code"].startswith("OKG33")]


def told(problem: dict[str, Any]) -> tuple[str, str, str, list[str]]:
    """Code, severity, file with path, and the files of the other places."""
    where = f"{problem['file']} {problem['path']}"
    return problem["code"], problem["severity"], where, [each["file"] for each in problem["related"]]


def test_sound_clusters(tmp_path: Path) -> None:
    addons = {**dns(), "external-secrets": None, "cert-manager": None}

    assert judged(tmp_path, cluster("a", addons), cluster("b", addons), cluster("c", addons)) == []


def test_one_eks_cluster_is_said_once(tmp_path: Path) -> None:
    aws = {"clusterName": "shop"}
    addons = {**dns(), **secrets("/shop/")}
    found = judged(tmp_path, cluster("a", addons, aws=aws), cluster("b", addons, aws=aws))

    assert [told(each) for each in found] == [("OKG330", "error", "b.okgen.yaml aws.clusterName", ["a.okgen.yaml"])]
    assert "a.okgen.yaml is for the same EKS cluster shop in 123456789012, eu-west-1" in found[0]["message"]
    assert found[0]["related"][0]["label"] == "EKS name of cluster a"


def test_eks_clusters_of_one_name_elsewhere_are_others(tmp_path: Path) -> None:
    aws = {"clusterName": "shop"}
    others = [{**aws, "region": "eu-central-1"}, {**aws, "accountId": "210987654321"}]

    assert judged(tmp_path, cluster("a", aws=aws), *(cluster(f"b{len(each)}", aws=each) for each in others)) == []


def test_the_name_is_the_place_where_the_eks_name_follows_from_it(tmp_path: Path) -> None:
    addons = {**dns(), **secrets("/shop/")}
    clusters = [cluster("shop", addons, gitops={"path": path}) for path in ("one", "two")]

    assert [told(each)[:3] for each in judged(tmp_path, *clusters)] == [
        ("OKG330", "error", "b.okgen.yaml metadata.name")
    ]


def test_owner_id(tmp_path: Path) -> None:
    zones = [{"name": "shop.example.com"}, {"name": "other.example.com"}]
    same = dns(txtOwnerId="shop")
    found = judged(tmp_path, cluster("a", same, zones=zones), cluster("b", same, zones=zones), cluster("c", dns()))

    assert [told(each) for each in found] == [
        ("OKG331", "error", "b.okgen.yaml addons.external-dns.txtOwnerId", ["a.okgen.yaml"])
    ]
    assert found[0]["message"] == (
        "the owner id shop is claimed by cluster a as well, in zone shop.example.com and 1 more"
    )


@pytest.mark.parametrize(
    ("first", "second", "meet"),
    [
        ({"zones": [{"name": "a.example.com"}]}, {"zones": [{"name": "b.example.com"}]}, False),
        (
            {"zones": [{"name": "a.example.com", "id": FIRST}]},
            {"zones": [{"name": "a.example.com", "id": SECOND}]},
            False,
        ),
        ({"zones": [{"name": "a.example.com", "id": FIRST}]}, {"zones": [{"name": "a.example.com"}]}, True),
        ({"zones": [{"name": "a.example.com"}]}, {"aws": {"accountId": "210987654321"}}, False),
        (A_FIRST, {**A_FIRST, "aws": {"accountId": "210987654321"}}, True),
    ],
)
def test_which_zones_are_one(tmp_path: Path, first: dict[str, Any], second: dict[str, Any], meet: bool) -> None:
    same = dns(txtOwnerId="shop")
    found = judged(tmp_path, cluster("a", same, **first), cluster("b", same, **(first | second)))

    assert [each["code"] for each in found] == ["OKG331"] * meet


def test_the_account_of_a_zone_is_that_of_the_role_that_is_assumed(tmp_path: Path) -> None:
    there = dns(txtOwnerId="shop", assumeRole={"roleArn": "arn:aws:iam::210987654321:role/dns"})
    here = dns(txtOwnerId="shop")
    clusters = [cluster("a", there), cluster("b", here), cluster("c", here, aws={"accountId": "210987654321"})]

    assert [told(each)[2:] for each in judged(tmp_path, *clusters)] == [
        ("c.okgen.yaml addons.external-dns.txtOwnerId", ["a.okgen.yaml"])
    ]


def test_roles(tmp_path: Path) -> None:
    addons = {**dns(txtOwnerId="a"), **secrets("/a/")}
    other = {**dns(txtOwnerId="b"), **secrets("/b/")}
    clusters = [
        cluster("shop", addons, aws={"region": "eu-west-1"}, gitops={"path": "one"}),
        cluster("shop", other, aws={"region": "eu-central-1"}, gitops={"path": "two"}),
        cluster("shop", other, aws={"accountId": "210987654321"}, gitops={"path": "three"}),
    ]
    found = judged(tmp_path, *clusters)

    assert [told(each) for each in found] == [("OKG332", "error", "b.okgen.yaml metadata.name", ["a.okgen.yaml"])]
    assert "IAM role shop-external-dns and 1 more" in found[0]["message"]


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        ("/shop/", "/shop/", ["b.okgen.yaml"]),
        ("/shop/prod/", "/shop/", ["a.okgen.yaml"]),
        ("/shop/", "/shop/prod/", ["b.okgen.yaml"]),
        ("/shop/", "/shopping/", []),
    ],
)
def test_prefixes(tmp_path: Path, mine: str, theirs: str, said: list[str]) -> None:
    found = judged(tmp_path, cluster("a", secrets(mine)), cluster("b", secrets(theirs)))

    assert [each["file"] for each in found] == said
    assert {(each["code"], each["severity"], each["path"]) for each in found} <= {
        ("OKG333", "warning", "addons.external-secrets.stores[0].prefix")
    }


def test_development_that_reads_what_is_in_production_is_an_error(tmp_path: Path) -> None:
    found = judged(tmp_path, cluster("a", secrets("/shop/")), cluster("b", secrets("/shop/x/"), profile="development"))

    assert [told(each)[:2] for each in found if each["code"] == "OKG333"] == [("OKG333", "error")]


@pytest.mark.parametrize(
    "store",
    [
        {"service": "SecretsManager"},
        {"region": "eu-central-1"},
        {"role": "arn:aws:iam::210987654321:role/reader"},
    ],
)
def test_prefixes_elsewhere(tmp_path: Path, store: dict[str, Any]) -> None:
    assert judged(tmp_path, cluster("a", secrets("/shop/")), cluster("b", secrets("/shop/", **store))) == []


def test_an_archived_addon_claims_as_its_successor_does(tmp_path: Path) -> None:
    old = {"kubernetes-external-secrets": {"prefixes": ["/shop/"]}}
    found = judged(
        tmp_path, cluster("a", secrets("/shop/")), cluster("b", old, aws={"oidcIssuer": rendering.OIDC_ISSUER})
    )

    assert [told(each) for each in found] == [
        ("OKG333", "warning", "b.okgen.yaml addons.kubernetes-external-secrets.prefixes[0]", ["a.okgen.yaml"])
    ]


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        ({"id": FIRST, "private": True}, {"id": FIRST}, ["error"]),
        ({"id": FIRST}, {"id": FIRST, "name": "other.example.com"}, ["error"]),
        ({"id": FIRST, "private": True}, {"id": SECOND}, []),
        ({"id": FIRST, "private": True}, {}, ["warning"]),
        ({"private": True}, {}, ["warning"]),
        ({}, {}, []),
    ],
)
def test_zones(tmp_path: Path, mine: dict[str, Any], theirs: dict[str, Any], said: list[str]) -> None:
    named = {"name": "shop.example.com"}
    found = judged(tmp_path, cluster("a", zones=[{**named, **mine}]), cluster("b", zones=[{**named, **theirs}]))

    assert [told(each) for each in found] == [
        ("OKG334", severity, "b.okgen.yaml dns.zones[0]", ["a.okgen.yaml"]) for severity in said
    ]


def test_a_cluster_with_a_private_and_a_public_zone_of_one_name_says_that_they_are_two(tmp_path: Path) -> None:
    public, private = {"name": "shop.example.com"}, {"name": "shop.example.com", "private": True}
    clusters = [cluster("a", zones=[public]), cluster("b", zones=[private]), cluster("c", zones=[public, private])]

    assert judged(tmp_path, *clusters) == []


def test_a_version_behind_the_rest(tmp_path: Path) -> None:
    versions = ["0.23.0", "0.21.0", "0.22.0", "0.23.0"]
    clusters = [cluster(f"c{number}", dns(version=each)) for number, each in enumerate(versions)]
    found = judged(tmp_path, *clusters)

    assert [told(each) for each in found] == [
        ("OKG335", "warning", "b.okgen.yaml addons.external-dns.version", ["a.okgen.yaml"])
    ]
    assert found[0]["help"] == "version 0.23.0 runs on its Kubernetes 1.34"


def test_most_are_not_behind_the_first_that_is_ahead(tmp_path: Path) -> None:
    versions = ["0.23.0", "0.21.0", "0.21.0", "0.21.0"]
    clusters = [cluster(f"c{number}", dns(version=each)) for number, each in enumerate(versions)]

    assert judged(tmp_path, *clusters) == []


def test_production_ahead_of_development(tmp_path: Path) -> None:
    clusters = [
        cluster("a", dns(version="0.23.0")),
        cluster("b", dns(version="0.23.0")),
        cluster("c", dns(version="0.22.0"), profile="development"),
        cluster("d", {"external-secrets": None}),
    ]
    found = judged(tmp_path, *clusters)

    assert [told(each) for each in found] == [
        (
            "OKG336",
            "warning",
            "a.okgen.yaml addons.external-dns.version",
            ["c.okgen.yaml", "b.okgen.yaml"],
        ),
        ("OKG336", "warning", "d.okgen.yaml addons.external-secrets", []),
    ]
    assert "in a and 1 more, and in no development cluster" in found[0]["message"]
    assert found[1]["help"] == "no development cluster has external-secrets: turn it on in one"


def test_a_fleet_without_development_is_not_asked_for_it(tmp_path: Path) -> None:
    clusters = [cluster("a", dns(version="0.23.0")), cluster("b", dns(version="0.22.0"))]

    assert judged(tmp_path, *clusters) == []


@pytest.mark.parametrize("command", ["validate", "check", "render"])
def test_each_command_asks(tmp_path: Path, command: str) -> None:
    same = dns(txtOwnerId="shop")

    assert [each["code"] for each in judged(tmp_path, cluster("a", same), cluster("b", same), command=command)] == [
        "OKG331"
    ]
    assert not (tmp_path / "output").exists()


def test_a_cluster_by_itself_is_not_compared(tmp_path: Path) -> None:
    same = dns(txtOwnerId="shop")
    judged(tmp_path, cluster("a", same), cluster("b", same))

    assert rendering.okgen("validate", "b.okgen.yaml", cwd=tmp_path)[0] == 0


def test_the_order_of_arguments_changes_nothing(tmp_path: Path) -> None:
    same = dns(txtOwnerId="shop")
    judged(tmp_path, cluster("a", same), cluster("b", same))
    said = [rendering.okgen("check", *names, cwd=tmp_path)[1] for names in (["."], ["b.okgen.yaml", "a.okgen.yaml"])]

    assert said[0] == said[1] != ""


# ------------------------------------------------------------------------------------------------- the rules themselves


class Counted(str):
    """A text that counts how often it is compared with another."""

    __slots__ = ()
    comparisons = 0

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        return str.__hash__(self)


def facts(number: int, value: str) -> Facts:
    spot = Spot(1, 1, ("metadata", "name"))
    claim = Claim("OKG333", "error", "error", "the prefix", Counted(value), True, None, "1", "", "", spot)
    return Facts(
        f"{number:04}", f"c{number}", "production", 34, "1", "r", f"c{number}", spot, spot, (), (), (), (claim,)
    )


@pytest.mark.parametrize("count", [100, 800])
def test_claims_are_looked_up_and_never_compared_in_pairs(count: int) -> None:
    fleet = [facts(number, f"/shop-{number:04}/") for number in range(count)]
    Counted.comparisons = 0

    assert fleet_rules.find(fleet) == []
    assert Counted.comparisons <= 10 * count


def test_every_declared_claim_has_a_code_of_a_fleet_and_its_severity() -> None:
    catalogue = Catalogue()
    for addon in map(catalogue.addon, catalogue.names):
        for entry in addon.definition.get("exclusive", []):
            code = CODES[entry["code"]]
            severities = {entry.get("severity", "error"), entry.get("acrossProfiles", entry.get("severity", "error"))}
            assert code.fleet
            assert code.severity == ("either" if len(severities) > 1 else severities.pop())


def test_every_declared_check_has_the_severity_of_its_code() -> None:
    catalogue = Catalogue()
    for addon in map(catalogue.addon, catalogue.names):
        for check in addon.definition.get("checks", []):
            assert CODES[check["code"]].severity == check.get("severity", "error"), (addon.name, check["message"])


@pytest.mark.parametrize(("version", "parts"), [("1.21.1", (1, 21, 1)), ("8", (8,)), ("1.x", (1, 0))])
def test_versions_compare_as_numbers(version: str, parts: tuple[int, ...]) -> None:
    assert numbers(version) == parts
