"""cert-manager, held against the chart in its own Go module and the data of ../shared/upstream.

Where okgen departs, tests/parity.yaml says so with a reason: an unlisted difference fails, and so does a listed one
that is gone.
"""

from __future__ import annotations

import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import parity
import rendering

if TYPE_CHECKING:
    from pathlib import Path

    from rendering import Result

ADDON = "cert-manager"
DATA = "upstream/cert-manager/1.21.1"
DEFINITION: dict[str, Any] = rendering.load((rendering.OVERLAYS / ADDON / "addon.yaml").read_text(encoding="utf-8"))
(RELEASE,) = DEFINITION["versions"]
ACME = {"acme": {"issuers": [{"name": "letsencrypt"}]}}
ZONE = {"name": "shop.example.com", "id": "Z0123456789ABCDEFGHIJ"}

# Name of the case -> the add-on's section, and what says the same to the chart.
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "defaults": ({}, {}),
    "every switch": (
        {
            "gatewayApi": True,
            "enableCertificateOwnerRef": True,
            "dns01RecursiveNameservers": ["1.1.1.1:53", "8.8.8.8:53"],
            "dns01RecursiveNameserversOnly": True,
            "logLevel": 4,
            "webhook": {"securePort": 10260, "timeoutSeconds": 10},
        },
        {
            "extraArgs": ["--enable-gateway-api"],
            "enableCertificateOwnerRef": True,
            "dns01RecursiveNameservers": "1.1.1.1:53,8.8.8.8:53",
            "dns01RecursiveNameserversOnly": True,
            "global": {"logLevel": 4},
            "webhook": {"securePort": 10260, "timeoutSeconds": 10},
        },
    ),
}


@functools.cache
def reviewed() -> parity.Reviewed:
    return parity.Reviewed(ADDON)


def cluster(section: dict[str, Any], **overrides: Any) -> dict[str, Any]:
    return rendering.minimal(profile="development", addons={ADDON: section}, **overrides)


def chart_values(case: str) -> dict[str, Any]:
    """The settings of a case in the chart's words. The chart in Git has no version, so that images name theirs."""
    tag, workloads = f"v{RELEASE['version']}", DEFINITION["workloads"]
    further = ("webhook", "cainjector")
    said = {
        "image": {"tag": tag},
        "acmesolver": {"image": {"tag": tag}},
        "resources": workloads["controller"]["resources"],
        "startupapicheck": {"enabled": False},
        **{part: {"image": {"tag": tag}, "resources": workloads[part]["resources"]} for part in further},
    }
    return rendering.merged(said, CASES[case][1])


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Renders a case once."""

    def render(case: str) -> Result:
        return rendering.rendered(tmp_path_factory.mktemp("case"), cluster(CASES[case][0]))

    return functools.cache(render)


# ------------------------------------------------------------------------------------------------------------ the chart


@pytest.mark.parametrize("case", CASES)
def test_as_the_chart(case: str, trees: Any, tmp_path: Path) -> None:
    source = parity.module("github.com/cert-manager/cert-manager", f"v{RELEASE['version']}")

    theirs = parity.charted(source / "deploy/charts" / ADDON, ADDON, ADDON, chart_values(case), tmp_path)

    assert reviewed().unlisted(parity.apart(theirs, parity.rendered(trees(case), ADDON))) == []


def test_every_listed_difference_is_there(trees: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    for case in CASES:
        test_as_the_chart(case, trees, tmp_path_factory.mktemp("chart"))
    assert reviewed().unneeded() == []


def test_rights_as_in_the_sheet(trees: Any) -> None:
    """The same comparison where no chart is at hand: the rights alone, from the facts beside the sheet."""
    facts = json.loads(rendering.shared(f"{DATA}/rbac-facts.json").read_text(encoding="utf-8"))
    theirs = {f"{each['kind']} {each['name']}": set(parity.rights(each["rules"])) for each in facts if "rules" in each}
    ours = {
        f"{each['kind']} {each['metadata']['name']}": set(parity.rights(each["rules"]))
        for each in parity.rendered(trees("every switch"), ADDON)
        if "rules" in each
    }
    assert [name for name in sorted(ours) if not ours[name] <= theirs[name]] == []
    assert sorted(theirs.keys() - ours.keys()) == [
        "ClusterRole cert-manager-controller-certificatesigningrequests",
        "Role cert-manager-startupapicheck:create-cert",
    ]
    fewer = {name: sorted(theirs[name] - rights) for name, rights in ours.items() if theirs[name] != rights}
    assert fewer == {"ClusterRole cert-manager-controller-challenges": ["create routes/custom-host.route.openshift.io"]}
    bound = {each["metadata"]["name"]: each for each in parity.rendered(trees("defaults"), ADDON) if "roleRef" in each}
    for each in facts:
        if "roleRef" in each and each["name"] in bound:
            mine = bound[each["name"]]
            assert mine["metadata"].get("namespace") == each.get("namespace")
            assert mine["subjects"] == each["subjects"]
            assert mine["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", **each["roleRef"]}


# -------------------------------------------------------------------------------------------------- what is turned off


def test_internal_only_gives_up_the_rights_of_what_it_turns_off(trees: Any, tmp_path: Path) -> None:
    narrow = rendering.rendered(tmp_path, cluster({"internalOnly": True}))
    issuers = [f"certificaterequests-issuer-{kind}" for kind in ("acme", "vault", "venafi")]
    off = ["orders", "challenges", "ingress-shim", *issuers]
    assert "--controllers=*," + ",".join(f"-{name}" for name in off) in controller(narrow)["args"]
    assert not any(argument.startswith("--controllers") for argument in controller(trees("defaults"))["args"])
    before, after = rights_of_the_controller(trees("defaults")), rights_of_the_controller(narrow)
    assert after < before
    gone = ("pods", "services", "ingresses.networking.k8s.io")
    assert [right for right in after if right.split(" ")[1] in gone] == []
    writing = ("create", "update", "patch", "delete")
    assert [right for right in after if "acme.cert-manager.io" in right and right.startswith(writing)] == []


def rights_of_the_controller(result: Result) -> set[str]:
    bound = {
        each["roleRef"]["name"]
        for each in parity.rendered(result, ADDON)
        if "roleRef" in each and each["subjects"][0]["name"] == ADDON
    }
    return {
        right
        for each in parity.rendered(result, ADDON)
        if "rules" in each and each["metadata"]["name"] in bound
        for right in parity.rights(each["rules"])
    }


def controller(result: Result) -> dict[str, Any]:
    (container,) = result.object("Deployment", ADDON)["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


# ------------------------------------------------------------------------------------------------------------- webhooks


@pytest.mark.parametrize("kind", ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"])
def test_the_webhooks_authority_is_filled_in_where_it_runs(kind: str, tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster({"namespace": "certificates"}))
    configuration = result.object(kind, "cert-manager-webhook")
    (webhook,) = configuration["webhooks"]
    (container,) = result.object("Deployment", "cert-manager-webhook")["spec"]["template"]["spec"]["containers"]
    note = configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from-secret"]
    assert note == "certificates/cert-manager-webhook-ca"
    assert "--dynamic-serving-ca-secret-name=cert-manager-webhook-ca" in container["args"]
    assert webhook["clientConfig"].keys() == {"service"}
    assert webhook["clientConfig"]["service"]["namespace"] == "certificates"
    assert wave(configuration) > wave(result.object("Deployment", "cert-manager-webhook"))


def test_leader_election_stays_in_kube_system(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster({"namespace": "certificates"}))
    for name in ("cert-manager", "cert-manager-cainjector"):
        for kind in ("Role", "RoleBinding"):
            assert result.object(kind, f"{name}:leaderelection")["metadata"]["namespace"] == "kube-system"
        assert result.object("RoleBinding", f"{name}:leaderelection")["subjects"][0]["namespace"] == "certificates"
        (container,) = result.object("Deployment", name)["spec"]["template"]["spec"]["containers"]
        assert "--leader-election-namespace=kube-system" in container["args"]


# ----------------------------------------------------------------------------------------------------------------- ACME


def test_an_issuer_comes_after_what_checks_it(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster(ACME, dns={"zones": [ZONE]}))
    issuer = result.object("ClusterIssuer", "letsencrypt")
    assert wave(issuer) > wave(result.object("ValidatingWebhookConfiguration", "cert-manager-webhook"))
    assert issuer["spec"]["acme"] == {
        "server": "https://acme-v02.api.letsencrypt.org/directory",
        "privateKeySecretRef": {"name": "letsencrypt-account-key"},
        "solvers": [
            {
                "selector": {"dnsZones": ["shop.example.com"]},
                "dns01": {"route53": {"hostedZoneID": "Z0123456789ABCDEFGHIJ"}},
            }
        ],
    }


def test_without_an_id_the_solver_still_says_route53(tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster(ACME, dns={"zones": [{"name": "shop.example.com"}]}))
    (solver,) = result.object("ClusterIssuer", "letsencrypt")["spec"]["acme"]["solvers"]
    assert solver["dns01"] == {"route53": {}}


@pytest.mark.parametrize("zone", [ZONE, {"name": "shop.example.com"}], ids=["by id", "by name"])
def test_iam_allows_no_more_than_upstreams_policy(zone: dict[str, Any], tmp_path: Path) -> None:
    result = rendering.rendered(tmp_path, cluster(ACME, dns={"zones": [zone]}))
    upstream = json.loads(rendering.shared(f"{DATA}/iam/iam-policy-route53-dns01.json").read_text(encoding="utf-8"))
    theirs = {action for each in upstream["Statement"] for action in as_list(each["Action"])}
    statements = json.loads(result.tree["iam/cert-manager.policy.json"])["Statement"]
    ours = {action for each in statements for action in each["Action"]}
    # The solver of 1.21 lists no records, and no zones either where it is told the id.
    unused = {"route53:ListResourceRecordSets", *(["route53:ListHostedZonesByName"] if "id" in zone else [])}
    assert ours == theirs - unused
    (change,) = (each for each in statements if "route53:ChangeResourceRecordSets" in each["Action"])
    assert change["Resource"] == [f"arn:aws:route53:::hostedzone/{zone.get('id', '*')}"]
    kinds = change["Condition"]["ForAllValues:StringEquals"]["route53:ChangeResourceRecordSetsRecordTypes"]
    names = change["Condition"]["ForAllValues:StringLike"]["route53:ChangeResourceRecordSetsNormalizedRecordNames"]
    assert kinds == ["TXT"]
    assert all(name.startswith("_acme-challenge.") for name in names)


def test_no_issuer_no_role(trees: Any) -> None:
    assert [path for path in trees("defaults").tree if path.startswith("iam/")] == []
    assert "annotations" not in trees("defaults").object("ServiceAccount", ADDON)["metadata"]


# ----------------------------------------------------------------------------------------------------------------- CRDs


@pytest.mark.parametrize("crds", RELEASE["crds"], ids=lambda crds: str(crds["file"]))
def test_crds_are_the_pinned_ones(crds: dict[str, Any]) -> None:
    path = rendering.shared(f"{DATA}/crds/{crds['file']}")
    definition = yaml.load(path.read_text(encoding="utf-8"), rendering.Loader)  # noqa: S506 - a safe one
    assert hashlib.sha256(path.read_bytes()).hexdigest() == crds["sha256"]
    assert crds["names"] == {definition["metadata"]["name"]: definition["spec"]["names"].get("shortNames", [])}
    # Client-side apply writes the whole object into an annotation, and these may not hold more than 262,144 bytes.
    assert crds.get("serverSideApply", False) == (len(json.dumps(definition, separators=(",", ":"))) > 262_144)


def test_every_definition_of_the_release_is_pinned() -> None:
    files = {path.name for path in rendering.shared(f"{DATA}/crds").glob("*.yaml")}
    assert {crds["file"] for crds in RELEASE["crds"]} == files


def wave(thing: dict[str, Any]) -> int:
    return int(thing["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
