"""aws-load-balancer-controller and alb-ingress-controller, held against what their projects publish.

Where okgen departs, tests/parity.yaml says so with a reason: an unlisted difference fails, and so does a listed one
that is gone.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import parity
import rendering

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rendering import Result

LBC = "aws-load-balancer-controller"
ALB = "alb-ingress-controller"
LBC_DATA = f"upstream/{LBC}/3.5.0"
ALB_DATA = f"upstream/{ALB}/1.1.9"
PARITY: dict[str, Any] = rendering.load((rendering.REPOSITORY / "tests" / "parity.yaml").read_text(encoding="utf-8"))

# Everything that brings rights along.
ALL_ON: dict[str, Any] = {
    LBC: {
        "shield": True,
        "waf": True,
        "wafv2": True,
        "cognito": True,
        "iamServerCertificates": True,
        "outposts": True,
        "multiClusterTargetGroups": True,
        "serviceMutator": {"enabled": True},
        "gatewayApi": {"alb": True, "nlb": True, "listenerSets": True},
        "globalAccelerator": True,
        "targetControlAgent": True,
    },
    ALB: {"shield": True, "waf": True, "wafv2": True, "cognito": True},
}
CONFIGURATIONS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The controller as its smallest example has it."""
    return rendering.rendered(tmp_path_factory.mktemp("defaults"), rendering.enabled(LBC))


@pytest.fixture(scope="module")
def all_on(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The controller with every feature."""
    return rendering.rendered(tmp_path_factory.mktemp("all"), rendering.enabled(LBC, addons={LBC: ALL_ON[LBC]}))


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The first generation as its smallest example has it."""
    return rendering.rendered(tmp_path_factory.mktemp("archived"), rendering.enabled(ALB))


@pytest.fixture(scope="module")
def archived_all_on(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The first generation with every feature."""
    return rendering.rendered(tmp_path_factory.mktemp("archived"), rendering.enabled(ALB, addons={ALB: ALL_ON[ALB]}))


# --------------------------------------------------------------------------------------------------------------- rights


def test_rights(all_on: Result) -> None:
    files = (f"{LBC_DATA}/install/config/rbac/{name}.yaml" for name in ("role", "leader_election_role"))
    theirs = {right for path in files for each in loaded(path) for right in parity.rights(each["rules"])}
    assert_listed(LBC, "rights", theirs, rights(all_on, LBC))


def test_rights_of_the_archived(archived_all_on: Result) -> None:
    roles = [each for each in loaded(f"{ALB_DATA}/install/rbac-role.yaml") if each["kind"] == "ClusterRole"]
    # It grants each resource in both groups, where each exists in one only.
    theirs = {
        right
        for each in roles
        for right in parity.rights(each["rules"])
        if ("ingresses" in right) == right.endswith(".extensions")
    }
    assert_listed(ALB, "rights", theirs, rights(archived_all_on, ALB))


@pytest.mark.parametrize(
    ("section", "wanted"),
    [
        ({"multiClusterTargetGroups": True}, r"\w+ configmaps"),
        ({"targetControlAgent": True}, r"get albtargetcontrolconfigs\.elbv2\.k8s\.aws"),
        ({"globalAccelerator": True}, r"\w+ globalaccelerators(/\w+)?\.aga\.k8s\.aws"),
        ({"gatewayApi": {"alb": True}}, r"\w+ [a-z/]+\.gateway\.(k8s\.aws|networking\.k8s\.io)"),
        ({"gatewayApi": {"nlb": True}}, r"\w+ [a-z/]+\.gateway\.(k8s\.aws|networking\.k8s\.io)"),
        ({"oidcSecrets": {"shop": ["oidc"]}}, r"(get|list|watch) secrets oidc"),
    ],
)
def test_a_feature_brings_its_own_rights(
    section: dict[str, Any], wanted: str, defaults: Result, tmp_path: Path
) -> None:
    on = rendering.rendered(tmp_path, rendering.enabled(LBC, addons={LBC: section}))
    more = rights(on, LBC) - rights(defaults, LBC)
    assert more
    assert rights(defaults, LBC) <= rights(on, LBC)
    assert [right for right in sorted(more) if not re.fullmatch(wanted, right)] == []


def test_secrets_are_read_by_name_only(tmp_path: Path) -> None:
    section = {"oidcSecrets": {"shop": ["b", "a"], "blog": ["c"]}}
    result = rendering.rendered(tmp_path, rendering.enabled(LBC, addons={LBC: section}))
    found = {
        each["metadata"]["namespace"]: each["rules"][0]["resourceNames"]
        for each in parity.rendered(result, LBC)
        if each["kind"] == "Role" and each["metadata"]["name"].endswith("-oidc-secrets")
    }
    assert found == {"blog": ["c"], "shop": ["a", "b"]}
    cluster_wide = result.object("ClusterRole", f"{LBC}-role")
    assert not any("secrets" in rule["resources"] for rule in cluster_wide["rules"])


# ------------------------------------------------------------------------------------------------------------- webhooks


def test_webhooks(all_on: Result) -> None:
    theirs, ours = upstream_webhooks(), webhooks(all_on)
    assert ours.keys() == theirs.keys()
    apart = {
        f"{name} {field}": (theirs[name].get(field), ours[name].get(field))
        for name in theirs
        for field in theirs[name].keys() | ours[name].keys()
        if theirs[name].get(field) != ours[name].get(field)
    }
    assert apart == listed(LBC, "webhooks")


def test_webhooks_of_features_that_are_off(defaults: Result) -> None:
    missing = upstream_webhooks().keys() - webhooks(defaults).keys()
    assert_covered(missing, PARITY[LBC]["webhooksWithout"])


def test_webhook_service(defaults: Result) -> None:
    (theirs,) = loaded(f"{LBC_DATA}/install/config/webhook/service.yaml")
    ours = defaults.object("Service", "aws-load-balancer-webhook-service")["spec"]
    pod = defaults.object("Deployment", LBC)["spec"]["template"]
    named = {each["name"]: each["containerPort"] for each in pod["spec"]["containers"][0]["ports"]}
    (port,) = ours["ports"]
    assert [{"port": port["port"], "targetPort": named[port["targetPort"]]}] == theirs["spec"]["ports"]
    assert ours["selector"].items() <= pod["metadata"]["labels"].items()


@pytest.mark.parametrize("minor", [25, 29, 30, 36])
@pytest.mark.parametrize("on", [True, False])
def test_no_service_ever_waits_for_a_pod(minor: int, on: bool, tmp_path: Path) -> None:
    section = {**ALL_ON[LBC], "serviceMutator": {"enabled": on}}
    cluster = rendering.enabled(LBC, kubernetesVersion=f"1.{minor}", addons={LBC: section})
    found = webhooks(rendering.rendered(tmp_path, cluster))
    asked = [each for each in found.values() if any("services" in rule["resources"] for rule in each["rules"])]
    assert [each["failurePolicy"] for each in asked] == ["Ignore"] * on
    assert any("matchConditions" in each for each in found.values()) == (minor >= 30), "general since 1.30"


def test_what_fails_closed_is_asked_for_by_label_or_is_the_controllers_own(all_on: Result) -> None:
    for name, each in webhooks(all_on).items():
        (rule,) = each["rules"]
        own = rule["apiGroups"][0].endswith("k8s.aws")
        by_label = "In" in str(each["namespaceSelector"]) or "agent-inject" in str(each["objectSelector"])
        assert each["failurePolicy"] == "Ignore" or own or by_label, name


def test_order_within_the_add_on(defaults: Result) -> None:
    """Certificates, then the pods that mount one, then what asks them, then what lets Ingresses in."""
    waves: dict[str, list[int]] = {}
    for each in parity.rendered(defaults, LBC):
        wave = each["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")
        waves.setdefault(each["kind"], []).append(int(wave))
    assert max(waves["Issuer"] + waves["Certificate"]) < min(waves["Deployment"])
    assert len(set(waves["Issuer"] + waves["Certificate"])) == 4, "one has to be ready before the next is made"
    assert max(waves["Deployment"]) < min(wave for kind in CONFIGURATIONS for wave in waves[kind])
    assert max(wave for kind in CONFIGURATIONS for wave in waves[kind]) < min(waves["IngressClassParams"])
    assert max(waves["IngressClassParams"]) < min(waves["IngressClass"])


def test_certificate(defaults: Result) -> None:
    """One name in the Certificate, the volume, both configurations and the Service."""
    certificate = defaults.object("Certificate", "aws-load-balancer-serving-cert")
    namespace = certificate["metadata"]["namespace"]
    pod = defaults.object("Deployment", LBC)["spec"]["template"]["spec"]
    (volume,) = pod["volumes"]
    assert certificate["spec"]["secretName"] == volume["secret"]["secretName"]
    for kind in CONFIGURATIONS:
        configuration = defaults.object(kind, "aws-load-balancer-webhook")
        injected = configuration["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
        assert injected == f"{namespace}/aws-load-balancer-serving-cert"
        for each in configuration["webhooks"]:
            service = each["clientConfig"]["service"]
            assert "caBundle" not in each["clientConfig"]
            assert f"{service['name']}.{service['namespace']}.svc" in certificate["spec"]["dnsNames"]


def test_an_issuer_of_ones_own_takes_the_place_of_the_authority(tmp_path: Path) -> None:
    issuer = {"kind": "ClusterIssuer", "name": "internal-ca"}
    cluster = rendering.enabled(LBC, addons={LBC: {"webhook": {"issuerRef": issuer}}})
    del cluster["addons"]["cert-manager"]
    result = rendering.rendered(tmp_path, cluster)
    certificate = result.object("Certificate", "aws-load-balancer-serving-cert")
    assert certificate["spec"]["issuerRef"] == {"group": "cert-manager.io", **issuer}
    kinds = [each["kind"] for each in parity.rendered(result, LBC)]
    assert (kinds.count("Issuer"), kinds.count("Certificate")) == (0, 1)


# ------------------------------------------------------------------------------------------------------------- settings


def test_settings_as_in_the_chart(defaults: Result, all_on: Result) -> None:
    (chart,) = loaded(f"{LBC_DATA}/chart/values.yaml")
    deployment = defaults.object("Deployment", LBC)
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    flags = arguments(deployment)
    repository, _, tag = container["image"].rpartition(":")
    account = defaults.object("ServiceAccount", LBC)
    (ingress_class,) = (each for each in defaults.objects if each["kind"] == "IngressClass")
    serving, root = (
        defaults.object("Certificate", f"aws-load-balancer-{each}-cert")["spec"] for each in ("serving", "root")
    )
    ours: dict[str, Any] = {
        "replicaCount": deployment["spec"]["replicas"],
        "revisionHistoryLimit": deployment["spec"]["revisionHistoryLimit"],
        "image.repository": repository,
        "image.tag": tag,
        "image.pullPolicy": container["imagePullPolicy"],
        "serviceAccount.automountServiceAccountToken": account["automountServiceAccountToken"],
        "podSecurityContext.fsGroup": pod["securityContext"]["fsGroup"],
        **{
            f"securityContext.{key}": container["securityContext"][key]
            for key in ("readOnlyRootFilesystem", "runAsNonRoot", "allowPrivilegeEscalation")
        },
        "terminationGracePeriodSeconds": pod["terminationGracePeriodSeconds"],
        "priorityClassName": pod["priorityClassName"],
        "enableCertManager": serving["secretName"] == pod["volumes"][0]["secret"]["secretName"],
        "certManager.duration": serving["duration"],
        "certManager.renewBefore": serving["renewBefore"],
        "certManager.rootCert.duration": root["duration"],
        "clusterName": flags["cluster-name"],
        "region": flags["aws-region"],
        "vpcId": flags["aws-vpc-id"],
        "ingressClass": flags["ingress-class"],
        "createIngressClassResource": ingress_class["metadata"]["name"] == flags["ingress-class"],
        "ingressClassParams.create": ingress_class["spec"]["parameters"]["kind"] == "IngressClassParams",
        "ingressClassConfig.default": "annotations" in ingress_class["metadata"]
        and "ingressclass.kubernetes.io/is-default-class" in ingress_class["metadata"]["annotations"],
        "defaultTargetType": flags["default-target-type"],
        "defaultLoadBalancerScheme": flags["default-load-balancer-scheme"],
        "defaultSSLPolicy": flags["default-ssl-policy"],
        "enableShield": flags["enable-shield"],
        "enableWaf": flags["enable-waf"],
        "enableWafv2": flags["enable-wafv2"],
        "enablePodReadinessGateInject": flags["enable-pod-readiness-gate-inject"],
        "enableEndpointSlices": flags["enable-endpoint-slices"],
        "disableIngressClassAnnotation": flags["disable-ingress-class-annotation"],
        "disableIngressGroupNameAnnotation": flags["disable-ingress-group-name-annotation"],
        "logLevel": flags["log-level"],
        "clusterSecretsPermissions.allowAllSecrets": any(" secrets" in each for each in rights(defaults, LBC)),
        "enableServiceMutatorWebhook": "mservice.elbv2.k8s.aws" in webhooks(defaults),
        "serviceMutatorWebhookConfig.operations": webhooks(all_on)["mservice.elbv2.k8s.aws"]["rules"][0]["operations"],
        "podMutatorWebhookConfig.failurePolicy": webhooks(defaults)["mpod.elbv2.k8s.aws"]["failurePolicy"],
        "webhookConfig.ingressValdationFailurePolicy": webhooks(defaults)["vingress.elbv2.k8s.aws"]["failurePolicy"],
        **flat({key: container[key] for key in ("livenessProbe", "readinessProbe")}),
    }
    theirs = flat(chart)
    # The API fills these in where the chart leaves them out.
    for probe in ("livenessProbe", "readinessProbe"):
        theirs = {f"{probe}.periodSeconds": 10, f"{probe}.successThreshold": 1} | theirs
    apart = {key: (theirs[key], value) for key, value in ours.items() if theirs[key] != value}
    assert apart == listed(LBC, "settings")


def test_every_feature_gate_is_known(all_on: Result) -> None:
    """The names are those in the comments of the chart's values; the controller does not start with another one."""
    text = rendering.shared(f"{LBC_DATA}/chart/values.yaml").read_text(encoding="utf-8")
    block = text.partition("featureGates: {}\n")[2]
    known = dict(re.findall(r"^  # (\w+): (true|false)$", block.partition("\n\n")[0], flags=re.MULTILINE))
    said = dict(each.split("=") for each in arguments(all_on.object("Deployment", LBC))["feature-gates"].split(","))
    schema = json.loads((rendering.OVERLAYS / LBC / "values.schema.json").read_text(encoding="utf-8"))
    free = set(schema["properties"]["featureGates"]["propertyNames"]["enum"])
    assert said.keys() | free == known.keys()
    assert not said.keys() & free


def test_versions() -> None:
    (chart,) = loaded(f"{LBC_DATA}/chart/Chart.yaml")
    release = definition(LBC)["versions"][0]
    assert f"v{release['version']}" == chart["appVersion"]
    assert release["images"]["controller"].endswith(f":{chart['appVersion']}")


def test_deployment_of_the_archived(archived: Result) -> None:
    (theirs,) = loaded(f"{ALB_DATA}/install/alb-ingress-controller.yaml")
    ours = archived.object("Deployment", ALB)
    (our_container,), (their_container,) = (each["spec"]["template"]["spec"]["containers"] for each in (ours, theirs))
    assert ours["spec"]["selector"] == theirs["spec"]["selector"], "an existing Deployment can be taken over"
    assert our_container["image"] == their_container["image"]
    assert set(their_container["args"]) <= set(our_container["args"])
    assert ours["metadata"]["namespace"] == theirs["metadata"]["namespace"]


# ----------------------------------------------------------------------------------------------------------------- CRDs


@pytest.mark.parametrize("place", [0, 1])
def test_crds(place: int) -> None:
    pinned = definition(LBC)["versions"][0]["crds"][place]
    file = rendering.shared(f"{LBC_DATA}/crds/{pinned['file']}")
    found = [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each]
    names = {each["metadata"]["name"]: each["spec"]["names"].get("shortNames", []) for each in found}
    assert hashlib.sha256(file.read_bytes()).hexdigest() == pinned["sha256"]
    assert names == pinned["names"]


def test_crds_of_the_gateway_come_with_it(defaults: Result, all_on: Result) -> None:
    kustomizations = [each.tree[f"addons/{LBC}/kustomization.yaml"] for each in (defaults, all_on)]
    assert ["gateway-crds.yaml" in each for each in kustomizations] == [False, True]


# ------------------------------------------------------------------------------------------------------------------ IAM


def test_actions(all_on: Result) -> None:
    theirs = actions(statements_of(f"{LBC_DATA}/iam/iam_policy.json"))
    accelerator = actions(statements_of(f"{LBC_DATA}/iam/aga_controller_iam_policy.json"))
    ours = actions(statements(all_on, LBC))
    assert accelerator <= ours
    assert_listed(LBC, "iam", theirs, ours - (accelerator - theirs))


def test_actions_of_features_that_are_off(defaults: Result) -> None:
    missing = actions(statements_of(f"{LBC_DATA}/iam/iam_policy.json")) - actions(statements(defaults, LBC))
    assert_covered(missing, PARITY[LBC]["iamWithout"])


def test_actions_of_the_archived(archived: Result, archived_all_on: Result) -> None:
    theirs = actions(statements_of(f"{ALB_DATA}/iam/iam-policy.json"))
    all_of_ours = actions(statements(archived_all_on, ALB))
    assert_listed(ALB, "iam", theirs, all_of_ours)
    assert_covered(all_of_ours - actions(statements(archived, ALB)), PARITY[ALB]["iamWithout"])


def test_the_way_from_the_archived(tmp_path: Path, defaults: Result) -> None:
    """Upstream's additional policy is there for a while, for this cluster's resources only."""
    result = rendering.rendered(tmp_path, rendering.enabled(LBC, addons={LBC: {"adoptFromV1": True}}))
    more = [each for each in statements(result, LBC) if each not in statements(defaults, LBC)]
    adopting = [
        each
        for each in more
        if each["Condition"].get("StringEquals") == {"aws:ResourceTag/ingress.k8s.aws/cluster": "demo"}
    ]
    assert actions(adopting) == actions(statements_of(f"{LBC_DATA}/iam/iam_policy_v1_to_v2_additional.json"))
    assert actions(more) <= actions(statements(defaults, LBC))


def test_one_policy_is_enough_without_features(defaults: Result, archived: Result) -> None:
    assert [path for path in {**defaults.tree, **archived.tree} if re.search(r"\.policy-\d", path)] == []


def test_only_the_clusters_own_is_changed(all_on: Result) -> None:
    """Whatever changes something is tied to this cluster's tag, to its VPC, or stands here."""
    untied = {
        "CreateServiceLinkedRole", "CreateAcceleratorServiceLinkedRole",  # by service, once per account
        "CreateInVpc",  # the other half of ec2:CreateSecurityGroup
        "AssociateWaf", "AssociateWafClassic", "SetWebAcl", "Shield",  # take no such condition
    }  # fmt: skip
    found = set()
    for each in statements(all_on, LBC):
        changes = any(not re.match(r"(Describe|Get|List)", action.partition(":")[2]) for action in each["Action"])
        condition = each.get("Condition", {})
        own = "demo" in [value for key, value in condition.get("StringEquals", {}).items() if key.endswith("/cluster")]
        if changes and not own and "ec2:Vpc" not in condition.get("ArnLike", {}):
            found.add(each["Sid"])
    assert found == untied


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_partitions(region: str, partition: str, tmp_path: Path) -> None:
    section = {key: value for key, value in ALL_ON[LBC].items() if key != "globalAccelerator"}
    result = rendering.rendered(tmp_path, rendering.enabled(LBC, aws={"region": region}, addons={LBC: section}))
    found = re.findall(r"arn:([a-z-]+):[a-z0-9-]+:([a-z0-9*-]*):", json.dumps(statements(result, LBC)))
    assert {each[0] for each in found} == {partition}
    assert {each[1] for each in found} <= {region, "", "*"}


# --------------------------------------------------------------------------------------------------------- what is read


def loaded(path: str) -> list[Any]:
    documents = yaml.safe_load_all(rendering.shared(path).read_text(encoding="utf-8"))
    return [each for each in documents if each]


def definition(addon: str) -> dict[str, Any]:
    found: dict[str, Any] = rendering.load((rendering.OVERLAYS / addon / "addon.yaml").read_text(encoding="utf-8"))
    return found


def rights(result: Result, addon: str) -> set[str]:
    return {right for each in parity.rendered(result, addon) for right in parity.rights(each.get("rules", []))}


def arguments(deployment: dict[str, Any]) -> dict[str, Any]:
    """The flags of the container by name; true and false as such."""
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    pairs = (each.removeprefix("--").partition("=") for each in container["args"])
    return {name: {"true": True, "false": False}.get(value, value) for name, _, value in pairs}


def flat(value: dict[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in value.items():
        found |= flat(item, f"{above}{key}.") if isinstance(item, dict) and item else {f"{above}{key}": item}
    return found


def webhooks(result: Result) -> dict[str, dict[str, Any]]:
    return {
        each["name"]: each
        for kind in CONFIGURATIONS
        for each in result.object(kind, "aws-load-balancer-webhook")["webhooks"]
    }


def upstream_webhooks() -> dict[str, dict[str, Any]]:
    """The webhooks of config/webhook with its patches applied, and what the API would fill in."""
    folder = f"{LBC_DATA}/install/config/webhook"
    patches = ("pod_mutator", "service_mutator", "ingressclassparams_validator", "globalaccelerator_validator")
    files = ["manifests.yaml", *(f"{each}_patch.yaml" for each in patches)]
    found: dict[str, dict[str, Any]] = {}
    for each in (document for file in files for document in loaded(f"{folder}/{file}")):
        for webhook in each["webhooks"]:
            merged = found.setdefault(webhook["name"], {"timeoutSeconds": 10, "matchPolicy": "Equivalent"})
            merged |= {"namespaceSelector": {}, "objectSelector": {}} | merged | webhook
            if each["kind"].startswith("Mutating"):
                merged["reinvocationPolicy"] = "Never"
    for webhook in found.values():
        service = webhook["clientConfig"]["service"]
        service |= {"name": f"aws-load-balancer-{service['name']}", "namespace": "kube-system", "port": 443}
        webhook["rules"] = [{"scope": "*", **rule} for rule in webhook["rules"]]
    return found


def statements_of(path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(rendering.shared(path).read_text(encoding="utf-8"))["Statement"]
    return found


def statements(result: Result, addon: str) -> list[dict[str, Any]]:
    """The statements of all policies of an add-on."""
    return [
        statement
        for path, text in sorted(result.tree.items())
        if re.fullmatch(rf"iam/{addon}\.policy(-\d+)?\.json", path)
        for statement in json.loads(text)["Statement"]
    ]


def actions(found: Iterable[dict[str, Any]]) -> set[str]:
    return {action for statement in found for action in statement["Action"]}


# ----------------------------------------------------------------------------------------------------- what is reviewed


def listed(addon: str, part: str) -> dict[str, tuple[Any, Any]]:
    """The reviewed values of a part: where -> upstream's and okgen's."""
    entries = PARITY[addon][part]
    assert all(entry["reason"] for entry in entries)
    return {entry["in"]: (entry["upstream"], entry["okgen"]) for entry in entries}


def assert_listed(addon: str, part: str, theirs: set[str], ours: set[str]) -> None:
    """What only one side has is exactly what the list says that it has."""
    for side, found in (("upstream", theirs - ours), ("okgen", ours - theirs)):
        assert_covered(found, [entry for entry in PARITY[addon][part] if entry["only"] == side])


def assert_covered(found: Iterable[str], entries: list[dict[str, Any]]) -> None:
    """Each of these is covered by an entry, and each entry covers one of them at least."""
    known = set(found)
    assert all(entry["reason"] for entry in entries)
    covered = {entry["what"]: set(fnmatch.filter(known, entry["what"])) for entry in entries}
    assert sorted(known.difference(*covered.values())) == [], "not in tests/parity.yaml"
    assert [what for what, those in covered.items() if not those] == [], "no longer needed"
