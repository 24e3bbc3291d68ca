"""external-secrets and kubernetes-external-secrets, held against what their charts install.

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

import rendering

if TYPE_CHECKING:
    from pathlib import Path

    from rendering import Result

ESO = "external-secrets"
KES = "kubernetes-external-secrets"
ESO_DATA = "upstream/external-secrets/2.9.0"
KES_DATA = "upstream/kubernetes-external-secrets/8.5.5"
PARITY = rendering.load((rendering.REPOSITORY / "tests" / "parity.yaml").read_text(encoding="utf-8"))

# Everything the chart has on, which okgen has off until it is asked for.
AS_THE_CHART: dict[str, Any] = {
    "clusterExternalSecrets": True,
    "clusterGenerators": True,
    "pushSecrets": True,
    "serviceAccountTokenCreate": True,
    "serviceBindings": True,
    "tenantStores": True,
}

Right = tuple[str, str, str, str]  # verb, resource, API group, name of the one object or ""


@pytest.fixture(scope="module")
def defaults(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """external-secrets as its smallest example has it."""
    return rendering.rendered(tmp_path_factory.mktemp("defaults"), rendering.enabled(ESO))


@pytest.fixture(scope="module")
def hardened(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """external-secrets with the switches that the hardened chart leaves on."""
    cluster = rendering.enabled(ESO, addons={ESO: {"tenantStores": True}})
    return rendering.rendered(tmp_path_factory.mktemp("hardened"), cluster)


@pytest.fixture(scope="module")
def as_the_chart(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """external-secrets with every switch as in the chart."""
    cluster = rendering.enabled(ESO, addons={ESO: AS_THE_CHART})
    return rendering.rendered(tmp_path_factory.mktemp("chart"), cluster)


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """kubernetes-external-secrets as its smallest example has it."""
    return rendering.rendered(tmp_path_factory.mktemp("archived"), rendering.enabled(KES))


@pytest.fixture(scope="module")
def policies(defaults: Result, archived: Result) -> dict[str, list[dict[str, Any]]]:
    """The IAM statements of the two, for the prefix /shop/prod/."""
    trees = {ESO: defaults.tree, KES: archived.tree}
    return {addon: json.loads(tree[f"iam/{addon}.policy.json"])["Statement"] for addon, tree in trees.items()}


# --------------------------------------------------------------------------------------------------------------- rights


def test_rights_as_in_the_chart(as_the_chart: Result) -> None:
    assert rights_apart(ESO, as_the_chart, f"{ESO_DATA}/rbac-facts-chart-defaults.json") == listed(ESO, "rights")


def test_rights_as_in_the_hardened_chart(hardened: Result) -> None:
    # The facts of the hardened chart leave the cert-controller out; it is the same as in the other.
    apart = rights_apart(ESO, hardened, f"{ESO_DATA}/rbac-facts-hardened.json")
    ours = {name: difference for name, difference in apart.items() if "cert-controller" not in name}
    both = {entry["in"] for entry in PARITY[ESO]["rights"] if entry.get("hardenedToo")}
    assert ours == {name: difference for name, difference in listed(ESO, "rights").items() if name in both}


def test_rights_of_the_archived(archived: Result) -> None:
    assert rights_apart(KES, archived, f"{KES_DATA}/rbac-facts-chart.json") == listed(KES, "rights")


@pytest.mark.parametrize(
    ("key", "flags", "resources"),
    [
        ("clusterExternalSecrets", ["--enable-cluster-external-secret-reconciler=false"], ["clusterexternalsecrets"]),
        (
            "pushSecrets",
            ["--enable-push-secret-reconciler=false", "--enable-cluster-push-secret-reconciler=false"],
            ["pushsecrets", "clusterpushsecrets"],
        ),
        ("clusterGenerators", [], ["clustergenerators"]),  # upstream has no flag for it
        ("serviceAccountTokenCreate", [], ["serviceaccounts/token"]),
    ],
)
def test_what_is_off_has_neither_reconciler_nor_rights(
    tmp_path: Path, defaults: Result, key: str, flags: list[str], resources: list[str]
) -> None:
    on = rendering.rendered(tmp_path, rendering.enabled(ESO, addons={ESO: {key: True}}))
    name = "ClusterRole external-secrets-controller"
    off_arguments, on_arguments = (container(each, ESO)["args"] for each in (defaults, on))
    assert [flag for flag in off_arguments if flag not in on_arguments] == flags
    for resource in resources:
        assert resource not in {right[1] for right in rights(defaults)[name]}
        assert resource in {right[1] for right in rights(on)[name]}


# ------------------------------------------------------------------------------------------------------------- settings


def test_settings_as_in_the_chart(defaults: Result) -> None:
    chart = loaded(f"{ESO_DATA}/chart/values.yaml")
    main, webhook, certs = (
        defaults.object("Deployment", f"{ESO}{part}") for part in ("", "-webhook", "-cert-controller")
    )
    stores, secrets = (
        defaults.object("ValidatingWebhookConfiguration", f"{each}-validate")
        for each in ("secretstore", "externalsecret")
    )
    ours: dict[str, Any] = {
        **switches(),
        "leaderElect": argument(main, "--enable-leader-election", default=False),
        "concurrent": argument(main, "--concurrent"),
        "log.level": argument(main, "--loglevel"),
        "log.timeEncoding": argument(main, "--zap-time-encoding"),
        "metrics.listen.port": port(main, "metrics"),
        "livenessProbe.spec.port": port(main, "live"),
        "webhook.port": port(webhook, "webhook"),
        "webhook.certDir": argument(webhook, "--cert-dir"),
        "webhook.certCheckInterval": argument(webhook, "--check-interval"),
        "webhook.lookaheadInterval": argument(webhook, "--lookahead-interval"),
        "webhook.log.level": argument(webhook, "--loglevel"),
        "webhook.metrics.listen.port": port(webhook, "metrics"),
        "webhook.readinessProbe.port": port(webhook, "ready"),
        "certController.requeueInterval": argument(certs, "--crd-requeue-interval"),
        "certController.enablePartialCache": argument(certs, "--enable-partial-cache"),
        "certController.log.level": argument(certs, "--loglevel"),
        "certController.metrics.listen.port": port(certs, "metrics"),
        "certController.readinessProbe.port": port(certs, "ready"),
        **probes(main, "", ".spec"),
        **probes(webhook, "webhook.", ""),
        **probes(certs, "certController.", ""),
    }
    for prefix, deployment in (("", main), ("webhook.", webhook), ("certController.", certs)):
        ours[f"{prefix}replicaCount"] = deployment["spec"]["replicas"]
        ours[f"{prefix}revisionHistoryLimit"] = deployment["spec"]["revisionHistoryLimit"]
        context = deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]
        ours.update({f"{prefix}securityContext.{key}": value for key, value in context.items()})
    for configuration in (stores, secrets):
        for each in configuration["webhooks"]:
            ours["webhook.failurePolicy"] = each["failurePolicy"]
    assert settings_apart(chart, ours) == listed(ESO, "settings")


def test_settings_of_the_archived(archived: Result) -> None:
    chart = loaded(f"{KES_DATA}/chart/values.yaml")
    deployment = archived.object("Deployment", KES)
    pod = deployment["spec"]["template"]["spec"]
    ours: dict[str, Any] = {
        "replicaCount": deployment["spec"]["replicas"],
        "image.pullPolicy": pod["containers"][0]["imagePullPolicy"],
        "securityContext.runAsNonRoot": pod["securityContext"]["runAsNonRoot"],
        **{f"env.{each['name']}": each["value"] for each in pod["containers"][0]["env"]},
    }
    assert settings_apart(chart, ours) == listed(KES, "settings")


@pytest.mark.parametrize(("addon", "data"), [(ESO, ESO_DATA), (KES, KES_DATA)])
def test_the_version_is_that_of_the_chart(addon: str, data: str) -> None:
    chart = loaded(f"{data}/chart/Chart.yaml")
    release = definition(addon)["versions"][0]
    assert release["version"] == str(chart["appVersion"]).removeprefix("v")
    assert release["images"]["controller"].endswith(f"/{addon}:{chart['appVersion']}")


# ------------------------------------------------------------------------------------------------------------- webhooks


def test_webhooks(defaults: Result) -> None:
    # Configuration, webhook, resource, scope: shared/upstream/external-secrets.md, section 5.
    table = [
        ("secretstore-validate", "validate.secretstore.external-secrets.io", "secretstores", "Namespaced"),
        ("secretstore-validate", "validate.clustersecretstore.external-secrets.io", "clustersecretstores", "Cluster"),
        ("externalsecret-validate", "validate.externalsecret.external-secrets.io", "externalsecrets", "Namespaced"),
    ]
    found = []
    for name in ("secretstore-validate", "externalsecret-validate"):
        configuration = defaults.object("ValidatingWebhookConfiguration", name)
        assert configuration["metadata"]["labels"]["external-secrets.io/component"] == "webhook"
        for webhook in configuration["webhooks"]:
            (rule,) = webhook["rules"]
            (resource,) = rule["resources"]
            assert rule["operations"] == ["CREATE", "UPDATE", "DELETE"]
            assert (rule["apiGroups"], rule["apiVersions"]) == (["external-secrets.io"], ["v1"])
            assert webhook["clientConfig"] == {
                "service": {
                    "name": "external-secrets-webhook",
                    "namespace": "external-secrets",
                    "path": f"/validate-external-secrets-io-v1-{resource.removesuffix('s')}",
                    "port": 443,
                }
            }, "no certificate stands in Git"
            assert (webhook["timeoutSeconds"], webhook["sideEffects"]) == (5, "None")
            assert webhook["admissionReviewVersions"] == ["v1", "v1beta1"]
            found.append((name, webhook["name"], resource, rule["scope"]))
    assert found == table


def test_the_cert_controller_finds_what_it_fills(defaults: Result) -> None:
    certs = defaults.object("Deployment", "external-secrets-cert-controller")
    secret = defaults.object("Secret", argument(certs, "--secret-name"))
    service = defaults.object("Service", argument(certs, "--service-name"))
    assert secret["metadata"]["namespace"] == argument(certs, "--secret-namespace")
    assert service["metadata"]["namespace"] == argument(certs, "--service-namespace")
    assert not secret.keys() & {"data", "stringData"}
    options = secret["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-options", "")
    assert "Replace" not in options, "an empty Secret would be put in the place of the filled one"
    # It is not ready before it has filled these two: in a later wave they would never come.
    names = ("secretstore-validate", "externalsecret-validate")
    waved = [certs, *(defaults.object("ValidatingWebhookConfiguration", name) for name in names)]
    assert len({wave(each) for each in waved}) == 1


def test_stores_come_after_what_validates_them(defaults: Result) -> None:
    store = defaults.object("ClusterSecretStore", "parameter-store")
    assert wave(store) > wave(defaults.object("Deployment", "external-secrets-webhook"))
    assert "SkipDryRunOnMissingResource=true" in store["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]


# ----------------------------------------------------------------------------------------------------------------- CRDs


@pytest.mark.parametrize(("addon", "data"), [(ESO, ESO_DATA), (KES, KES_DATA)])
def test_crds_are_the_pinned_ones(addon: str, data: str) -> None:
    (crds,) = definition(addon)["versions"][0]["crds"]
    path = rendering.shared(f"{data}/crds/{crds['file']}")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == crds["sha256"]
    assert crds["url"] == source_url(f"{data}/crds/{crds['file']}".removeprefix("upstream/"))
    documents = [each for each in yaml.load_all(path.read_text(encoding="utf-8"), rendering.Loader) if each]
    assert crds["names"] == {
        each["metadata"]["name"]: each["spec"]["names"].get("shortNames", []) for each in documents
    }
    # Client-side apply writes the whole object into an annotation, and these may not hold more than 262,144 bytes.
    largest = max(len(json.dumps(each, separators=(",", ":"))) for each in documents)
    assert crds.get("serverSideApply", False) == (largest > 262_144)


def test_crds_carry_the_label_by_which_the_cert_controller_sees_them() -> None:
    text = rendering.shared(f"{ESO_DATA}/crds/bundle.yaml").read_text(encoding="utf-8")
    for each in yaml.load_all(text, rendering.Loader):
        assert each["metadata"]["labels"]["external-secrets.io/component"] == "controller"


# ------------------------------------------------------------------------------------------------------------------ IAM


@pytest.mark.parametrize(
    ("addon", "document"),
    [(ESO, f"{ESO_DATA}/iam/iam-policy-parameter-store-fetch.json"), (KES, f"{KES_DATA}/iam/iam-policy-ssm.json")],
)
def test_iam_allows_no_more_than_upstreams_policy(
    policies: dict[str, list[dict[str, Any]]], addon: str, document: str
) -> None:
    ours = {action for each in policies[addon] for action in each["Action"]}
    theirs = [action for each in loaded(document)["Statement"] for action in as_list(each["Action"])]
    beyond = sorted(action for action in ours if not any(fnmatch.fnmatchcase(action, each) for each in theirs))
    assert beyond == [each["action"] for each in PARITY[addon].get("iam", [])]


@pytest.mark.parametrize("addon", [ESO, KES])
@pytest.mark.parametrize(
    ("action", "name", "allowed"),
    [
        ("ssm:GetParameter", "/shop/prod/db", True),
        ("ssm:GetParameter", "/shop/prod/db/password", True),
        ("ssm:GetParameter", "/shop/prod", False),
        ("ssm:GetParameter", "/shop/production/db", False),
        ("ssm:GetParameter", "/shop/db", False),
        ("ssm:GetParametersByPath", "/shop/prod", True),
        ("ssm:GetParametersByPath", "/shop/prod/", True),
        ("ssm:GetParametersByPath", "/shop/prod/db", True),
        ("ssm:GetParametersByPath", "/shop/production", False),
        ("ssm:GetParametersByPath", "/shop", False),
        ("ssm:GetParametersByPath", "/", False),
        ("ssm:GetParameterHistory", "/shop/prod/db", False),
        ("ssm:PutParameter", "/shop/prod/db", False),
    ],
)
def test_iam_opens_the_prefix_and_nothing_beside_it(
    policies: dict[str, list[dict[str, Any]]], addon: str, action: str, name: str, *, allowed: bool
) -> None:
    arn = f"arn:aws:ssm:eu-west-1:123456789012:parameter{name}"
    granted_by = [
        each["Sid"]
        for each in policies[addon]
        if action in each["Action"] and any(fnmatch.fnmatchcase(arn, resource) for resource in each["Resource"])
    ]
    assert bool(granted_by) == allowed


# ------------------------------------------------------------------------------------- both sides read in one notation


def rights(result: Result) -> dict[str, set[Right]]:
    """The rights that each Role and ClusterRole gives, by kind and name."""
    kinds = ("Role", "ClusterRole")
    return {called(each): granted(each["rules"]) for each in result.objects if each["kind"] in kinds}


def granted(rules: list[dict[str, Any]]) -> set[Right]:
    return {
        (verb, resource, group, name)
        for rule in rules
        for verb in rule["verbs"]
        for resource in rule["resources"]
        for group in rule["apiGroups"]
        for name in rule.get("resourceNames", [""])
    }


def called(thing: dict[str, Any]) -> str:
    """Kind and name, of an object as of an entry in the facts."""
    return f"{thing['kind']} {thing.get('name') or thing['metadata']['name']}"


def rights_apart(addon: str, result: Result, facts: str) -> dict[str, dict[str, Any]]:
    """What only one side grants, by role. Where both have bindings and labels for aggregation, these must be equal."""
    upstream: dict[str, dict[str, Any]] = {called(each): each for each in loaded(facts)}
    theirs = {name: granted(each["rules"]) for name, each in upstream.items() if "rules" in each}
    ours = rights(result)
    found = {}
    for name in sorted(theirs.keys() | ours.keys()):
        sides = {
            "upstream": in_words(theirs.get(name, set()) - ours.get(name, set())),
            "okgen": in_words(ours.get(name, set()) - theirs.get(name, set())),
        }
        if any(sides.values()):
            found[name] = {side: words for side, words in sides.items() if words}
        if name in theirs and name in ours:
            labels = result.object(*name.split(" "))["metadata"]["labels"]
            mine = {key: value for key, value in labels.items() if not key.startswith("app.kubernetes.io/")}
            assert mine == upstream[name].get("roleLabels", {}), name
    assert_same_bindings(addon, result, upstream, {name.rpartition(" ")[2] for name in ours})
    return found


def assert_same_bindings(addon: str, result: Result, upstream: dict[str, dict[str, Any]], roles: set[str]) -> None:
    ours = {called(each): each for each in result.objects if each["kind"] in ("RoleBinding", "ClusterRoleBinding")}
    for name, binding in ours.items():
        assert binding["roleRef"]["name"] in roles
        for subject in binding["subjects"]:
            account = result.object("ServiceAccount", subject["name"])
            assert subject["namespace"] == account["metadata"]["namespace"], name
    for name in sorted(ours.keys() & upstream.keys()):
        reference = {key: ours[name]["roleRef"][key] for key in ("kind", "name")}
        assert reference == upstream[name]["roleRef"]
        assert ours[name]["subjects"] == upstream[name]["subjects"]
    bindings = {name for name, each in upstream.items() if "subjects" in each}
    assert sorted(bindings - ours.keys()) == [each["binding"] for each in PARITY[addon].get("bindings", [])]


def in_words(found: set[Right]) -> list[str]:
    """``get update secrets external-secrets-webhook``: verbs, resource with its group, and the one object."""
    verbs: dict[str, list[str]] = {}
    for verb, resource, group, name in sorted(found):
        what = f"{resource}.{group}" if group else resource
        verbs.setdefault(f"{what} {name}".strip(), []).append(verb)
    return [f"{' '.join(verbs[what])} {what}" for what in sorted(verbs)]


def listed(addon: str, kind: str) -> dict[str, dict[str, Any]]:
    """The differences that parity.yaml lists, by what they are in, without their reasons."""
    found = {}
    for entry in PARITY[addon].get(kind, []):
        assert entry["reason"], entry
        found[entry["in"]] = {side: entry[side] for side in ("upstream", "okgen") if side in entry}
    return found


def settings_apart(chart: dict[str, Any], ours: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings with another value here than in the chart's values.yaml."""
    found = {}
    for path, mine in ours.items():
        theirs: Any = chart
        for step in path.split("."):
            theirs = theirs.get(step) if isinstance(theirs, dict) else None
        if plain(theirs) != plain(mine):
            found[path] = {"upstream": theirs, "okgen": mine}
    return found


def plain(value: Any) -> Any:
    """One notation for what YAML, a flag and an environment variable write differently."""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value) if isinstance(value, int) else value
    duration = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text) if isinstance(text, str) and text else None
    if duration:
        hours, minutes, seconds = (int(part or 0) for part in duration.groups())
        return f"{hours * 3600 + minutes * 60 + seconds}s"
    return text


def switches() -> dict[str, Any]:
    """The defaults of okgen's switches, as the chart calls them."""
    schema = json.loads((rendering.OVERLAYS / ESO / "values.schema.json").read_text(encoding="utf-8"))
    names = {
        "processClusterExternalSecret": "clusterExternalSecrets",
        "processClusterGenerator": "clusterGenerators",
        "processClusterPushSecret": "pushSecrets",
        "processPushSecret": "pushSecrets",
        "rbac.aggregateToAdmin": "aggregateToEdit",
        "rbac.aggregateToEdit": "aggregateToEdit",
        "rbac.aggregateToView": "aggregateToView",
        "rbac.serviceAccountTokenCreate": "serviceAccountTokenCreate",
        "rbac.servicebindings.create": "serviceBindings",
    }
    return {theirs: schema["properties"][ours]["default"] for theirs, ours in names.items()}


def probes(deployment: dict[str, Any], prefix: str, body: str) -> dict[str, Any]:
    """Liveness and readiness as the chart's values name them, below ``prefix``; the numbers stand below ``body``."""
    pod = deployment["spec"]["template"]["spec"]["containers"][0]
    found: dict[str, Any] = {}
    for kind in ("livenessProbe", "readinessProbe"):
        found[f"{prefix}{kind}.enabled"] = kind in pod
        for key in ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"):
            found[f"{prefix}{kind}{body}.{key}"] = pod[kind].get(key)
    return found


def container(result: Result, deployment: str) -> dict[str, Any]:
    found: dict[str, Any] = result.object("Deployment", deployment)["spec"]["template"]["spec"]["containers"][0]
    return found


def argument(deployment: dict[str, Any], flag: str, default: Any = None) -> Any:
    """The value of ``--flag=value``."""
    arguments = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    found = [each.partition("=")[2] for each in arguments if each.partition("=")[0] == flag]
    return found[0] if found else default


def port(deployment: dict[str, Any], name: str) -> int:
    """The number of a named port, at which the matching flag listens as well."""
    pod = deployment["spec"]["template"]["spec"]["containers"][0]
    (found,) = [each["containerPort"] for each in pod["ports"] if each["name"] == name]
    flags = {"live": "--live-addr", "metrics": "--metrics-addr", "ready": "--healthz-addr", "webhook": "--port"}
    assert argument(deployment, flags[name]).removeprefix(":") == str(found)
    assert isinstance(found, int)
    return found


def wave(thing: dict[str, Any]) -> int:
    return int(thing["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0"))


def definition(addon: str) -> dict[str, Any]:
    found: dict[str, Any] = rendering.load((rendering.OVERLAYS / addon / "addon.yaml").read_text(encoding="utf-8"))
    return found


def loaded(path: str) -> Any:
    """A YAML or JSON file of ../shared; the test is skipped, loudly, where there is none."""
    return yaml.load(rendering.shared(path).read_text(encoding="utf-8"), rendering.Loader)  # noqa: S506 - a safe one


def source_url(path: str) -> str:
    """Where a data file was taken from, with its commit in the place of the tag."""
    for line in rendering.shared("upstream/SOURCES-addons.tsv").read_text(encoding="utf-8").splitlines():
        file, source, commit, *_ = line.split("\t")
        if file == path:
            repository, _, place = source.partition("@")
            return f"https://raw.githubusercontent.com/{repository}/{commit}/{place.partition(':')[2]}"
    raise AssertionError(f"{path} is not in SOURCES-addons.tsv")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
