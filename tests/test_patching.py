"""What okgen says that patches make of objects is what Kustomize builds."""

from __future__ import annotations

import copy
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import rendering
from okgen import emit
from okgen.patching import build

if TYPE_CHECKING:
    from pathlib import Path

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  labels: {app: web}
  finalizers: [example.com/a, example.com/b]
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      imagePullSecrets: [{name: one}]
      tolerations: [{key: a, operator: Exists}]
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
      initContainers:
      - {name: first, image: "first:1"}
      containers:
      - name: web
        image: web:1
        args: [--one=1, --two=2]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
        ports: [{name: http, containerPort: 8080, protocol: TCP}, {name: dns, containerPort: 53, protocol: UDP}]
        resources: {limits: {memory: 64Mi}, requests: {memory: 64Mi, cpu: 10m}}
        securityContext: {capabilities: {drop: [ALL]}}
        volumeMounts: [{name: tmp, mountPath: /tmp}, {name: keys, mountPath: /keys, readOnly: true}]
      - {name: side, image: "side:1"}
      volumes:
      - {name: tmp, emptyDir: {}}
      - {name: keys, secret: {secretName: keys}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, annotations: {example.com/a: b}}
spec:
  type: ClusterIP
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]
"""
ACCOUNT = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
secrets: [{name: one}]
imagePullSecrets: [{name: one}]
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: web}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
- {apiGroups: [apps], resources: [deployments], verbs: [get]}
"""
HOOK = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: web}
webhooks:
- name: one.example.com
  failurePolicy: Fail
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
- {name: two.example.com, failurePolicy: Fail}
"""
STORE = """
apiVersion: external-secrets.io/v1
kind: ClusterSecretStore
metadata: {name: web}
spec:
  conditions: [{namespaces: [a, b]}]
  provider: {aws: {service: ParameterStore, auth: {jwt: {serviceAccountRef: {name: web}}}}}
"""
OBJECTS: dict[str, dict[str, Any]] = {
    f"{value['kind']}.yaml".lower(): value
    for value in map(yaml.safe_load, (DEPLOYMENT, SERVICE, ACCOUNT, ROLE, HOOK, STORE))
}
POD = ("spec", "template", "spec")


def merge(kind: str, *path: str, value: Any, **more: Any) -> str:
    """A strategic merge patch of a kind that says something in one place."""
    inner = value
    for step in reversed(path):
        inner = {step: inner}
    api = next(each["apiVersion"] for each in OBJECTS.values() if each["kind"] == kind)
    patch = {"apiVersion": api, "kind": kind, **inner, **more}
    patch["metadata"] = {"name": "any", **patch.get("metadata", {})}
    return emit.dump(patch)


def container(**what: Any) -> str:
    """A patch of the container "web"."""
    return merge("Deployment", *POD, "containers", value=[{"name": "web", **what}])


CASES: dict[str, tuple[str, str]] = {
    "a scalar": ("Deployment", merge("Deployment", "spec", "replicas", value=3)),
    "a new key": ("Deployment", merge("Deployment", *POD, "priorityClassName", value="high")),
    "null takes away": ("Deployment", merge("Deployment", *POD, "nodeSelector", value=None)),
    "null of what is not there": ("Deployment", merge("Deployment", *POD, "affinity", value={"a": None, "b": {}})),
    "image": ("Deployment", container(image="web:2")),
    "a new container": ("Deployment", merge("Deployment", *POD, "containers", value=[{"name": "new", "image": "n:1"}])),
    "environment": ("Deployment", container(env=[{"name": "C", "value": "3"}, {"name": "B", "value": "x"}])),
    "no environment of that name": ("Deployment", container(env=[{"name": "A", "$patch": "delete"}])),
    "arguments are replaced": ("Deployment", container(args=["--three"])),
    "ports by number and protocol": (
        "Deployment",
        container(ports=[{"containerPort": 53, "protocol": "UDP", "name": "x"}, {"containerPort": 8080, "name": "y"}]),
    ),
    "a port without protocol": ("Deployment", container(ports=[{"containerPort": 9090}])),
    "mounts": ("Deployment", container(volumeMounts=[{"mountPath": "/keys", "readOnly": None}])),
    "resources": ("Deployment", container(resources={"limits": {"cpu": "1"}, "requests": {"cpu": None}})),
    "drop": ("Deployment", container(securityContext={"capabilities": {"drop": []}, "runAsUser": 0})),
    "delete a container": (
        "Deployment",
        merge("Deployment", *POD, "containers", value=[{"name": "side", "$patch": "delete"}]),
    ),
    "replace all containers": (
        "Deployment",
        merge("Deployment", *POD, "containers", value=[{"$patch": "replace"}, {"name": "only", "image": "o:1"}]),
    ),
    "replace one container": ("Deployment", container(**{"$patch": "replace", "image": "web:9"})),
    "delete all containers": ("Deployment", merge("Deployment", *POD, "containers", value=[{"$patch": "delete"}])),
    "volumes": (
        "Deployment",
        merge(
            "Deployment", *POD, "volumes", value=[{"name": "keys", "secret": None, "emptyDir": {"medium": "Memory"}}]
        ),
    ),
    "tolerations are replaced": ("Deployment", merge("Deployment", *POD, "tolerations", value=[{"key": "b"}])),
    "spread": (
        "Deployment",
        merge(
            "Deployment",
            *POD,
            "topologySpreadConstraints",
            value=[{"topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "maxSkew": 2}],
        ),
    ),
    "replace the spec": (
        "Deployment",
        merge("Deployment", "spec", value={"$patch": "replace", "replicas": 1}),
    ),
    "an unknown directive": ("Deployment", merge("Deployment", "spec", value={"$patch": "other"})),
    "another type": ("Deployment", merge("Deployment", "spec", value=["a"])),
    "finalizers are united": (
        "Deployment",
        merge("Deployment", "metadata", "finalizers", value=["c/d", "example.com/b"]),
    ),
    "labels": ("Deployment", merge("Deployment", "metadata", "labels", value={"tier": "front"})),
    "delete the object": ("Deployment", merge("Deployment", value={}, **{"$patch": "delete"})),
    "another name is not taken": ("Deployment", merge("Deployment", "metadata", "name", value="other")),
    "ports of a Service": ("Service", merge("Service", "spec", "ports", value=[{"port": 80, "nodePort": 30080}])),
    "a Service's other protocol": (
        "Service",
        merge("Service", "spec", "ports", value=[{"port": 53, "protocol": "TCP", "name": "tcp"}]),
    ),
    "secrets are merged, pull secrets are not": (
        "ServiceAccount",
        merge("ServiceAccount", value={}, secrets=[{"name": "two"}], imagePullSecrets=[{"name": "two"}]),
    ),
    "annotations": ("ServiceAccount", merge("ServiceAccount", "metadata", "annotations", value={"a.b/c": "d"})),
    "rules are replaced": (
        "ClusterRole",
        merge("ClusterRole", "rules", value=[{"nonResourceURLs": ["/"], "verbs": ["*"]}]),
    ),
    "webhooks": (
        "ValidatingWebhookConfiguration",
        merge(
            "ValidatingWebhookConfiguration",
            "webhooks",
            value=[{"name": "two.example.com", "failurePolicy": "Ignore"}],
        ),
    ),
    "a custom resource": (
        "ClusterSecretStore",
        merge(
            "ClusterSecretStore",
            "spec",
            value={"conditions": [{"namespaces": ["c"]}], "retrySettings": {"maxRetries": 1}},
        ),
    ),
    "JSON: add": ("Deployment", "- {op: add, path: /spec/template/spec/containers/0/args/-, value: --three}"),
    "JSON: replace and remove": (
        "Deployment",
        "- {op: replace, path: /spec/replicas, value: 5}\n- {op: remove, path: /spec/template/spec/volumes/0}",
    ),
    "JSON: test fails": ("Deployment", "- {op: test, path: /spec/replicas, value: 5}"),
    "JSON: nothing there": ("Deployment", "- {op: remove, path: /spec/none}"),
    "JSON: move and copy": (
        "Deployment",
        """
- {op: move, from: /spec/template/spec/tolerations, path: /spec/template/spec/x}
- {op: copy, from: /metadata/labels, path: /metadata/annotations}
""",
    ),
    "JSON: no annotations left": ("Service", "- {op: remove, path: /metadata/annotations/example.com~1a}"),
    "many kinds": ("Deployment|Service", "- {op: add, path: /metadata/annotations, value: {a: b}}"),
}


def kustomized(folder: Path, patches: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the real Kustomize builds, by kind; None where it fails."""
    folder.mkdir(exist_ok=True)
    for name, value in OBJECTS.items():
        (folder / name).write_text(emit.dump(value), encoding="utf-8")
    value = {"resources": list(OBJECTS), "patches": patches}
    (folder / "kustomization.yaml").write_text(emit.dump(value), encoding="utf-8")
    run = subprocess.run(
        [rendering.tool("kustomize"), "build", str(folder)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        return None
    return {each["kind"]: each for each in yaml.safe_load_all(run.stdout) if each}


def computed(patches: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, str]]:
    """What okgen makes of the same, by kind, and what it cannot tell."""
    built = build.build(copy.deepcopy(OBJECTS), patches)
    known = {**OBJECTS, **built.objects}
    found = {value["kind"]: value for file, value in known.items() if file not in built.unknown and value is not None}
    return found, {**built.unknown, **{str(number): why for number, why in built.others.items()}}


def same(one: Any, other: Any) -> bool:
    """Python takes True for 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@pytest.mark.tools
@pytest.mark.parametrize("name", CASES)
def test_one_patch(name: str, tmp_path: Path) -> None:
    kind, patch = CASES[name]
    patches = [{"target": {"kind": kind}, "patch": patch}]

    found, unknown = computed(patches)

    real = kustomized(tmp_path / "build", patches)
    if real is None:
        assert unknown
    else:
        assert not unknown
        assert found == real


UNTOLD = {
    "elements without their key": merge("Deployment", *POD, "containers", value=[{"image": "web:2"}]),
    "a label that is spelled as a number": merge("Deployment", "metadata", "labels", value={"a": 1}),
    "no patch": "text",
    "not YAML": "a: [",
    "an operation that is none": "- {op: become, path: /spec}",
    "labels that are no texts": "- {op: replace, path: /metadata/labels, value: {a: 1}}",
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_cannot_be_told_is_said(name: str) -> None:
    _, unknown = computed([{"target": {"kind": "Deployment"}, "patch": UNTOLD[name]}])

    assert list(unknown) in (["deployment.yaml"], ["0"])


def test_only_targets_and_patches_are_understood() -> None:
    _, unknown = computed([{"target": {"kind": "Deployment"}, "patch": "[]", "options": {"allowNameChange": True}}])

    assert unknown == {"0": "it is more than a target and a patch"}


NAMES = st.sampled_from(["web", "side", "A", "B", "new", "keys", "tmp", "http"])
SCALARS = st.sampled_from(["a", "1", "true", "", "x: y", "TCP", "UDP"]) | st.integers(0, 3) | st.booleans()
DIRECTIVE = st.sampled_from(["replace", "delete", "merge"])


def elements(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Elements of a list, some of which lack a key, are nothing but a directive, or have one."""
    optional = {**keys, "$patch": DIRECTIVE, "extra": SCALARS | st.none() | st.lists(SCALARS, max_size=1)}
    one = st.fixed_dictionaries({}, optional=optional)
    whole = st.fixed_dictionaries(keys, optional={key: optional[key] for key in ("$patch", "extra")})
    return st.lists(st.one_of(whole, whole, whole, one), max_size=3)


PORT = st.sampled_from([53, 80, 8080])
PROTOCOL = st.sampled_from(["TCP", "UDP"])
PLACES: dict[str, list[tuple[tuple[str, ...], st.SearchStrategy[Any]]]] = {
    "Deployment": [
        ((*POD, "containers"), elements(name=NAMES, image=SCALARS)),
        (
            (*POD, "containers"),
            st.builds(lambda env: [{"name": "web", "env": env}], elements(name=NAMES, value=SCALARS)),
        ),
        (
            (*POD, "containers"),
            st.builds(lambda ports: [{"name": "web", "ports": ports}], elements(containerPort=PORT, protocol=PROTOCOL)),
        ),
        ((*POD, "volumes"), elements(name=NAMES, emptyDir=st.just({}))),
        ((*POD, "tolerations"), elements(key=NAMES)),
        (
            (*POD, "topologySpreadConstraints"),
            elements(
                topologyKey=st.sampled_from(["zone", "host"]),
                whenUnsatisfiable=st.sampled_from(["DoNotSchedule", "ScheduleAnyway"]),
            ),
        ),
        (("metadata", "finalizers"), st.lists(st.sampled_from(["example.com/a", "example.com/c"]), max_size=3)),
        ((*POD, "nodeSelector"), st.none() | st.dictionaries(NAMES, SCALARS | st.none(), max_size=2)),
        (("spec",), st.fixed_dictionaries({}, optional={"$patch": DIRECTIVE, "replicas": SCALARS, "a": st.none()})),
    ],
    "Service": [(("spec", "ports"), elements(port=PORT, protocol=PROTOCOL, name=NAMES))],
    "ClusterRole": [(("rules",), elements(verbs=st.just(["get"])))],
    "ServiceAccount": [(("secrets",), elements(name=NAMES)), (("imagePullSecrets",), elements(name=NAMES))],
}


@st.composite
def patch_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to three entries of ``patches``."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(sorted(PLACES)))
        path, values = draw(st.sampled_from(PLACES[kind]))
        if draw(st.integers(0, 3)):
            text = merge(kind, *path, value=draw(values))
        else:
            op = draw(st.sampled_from(["add", "replace", "remove"]))
            value = draw(values)
            text = emit.dump([{"op": op, "path": "/" + "/".join(path), "value": value}])
        found.append({"target": {"kind": kind}, "patch": text})
    return found


@pytest.mark.no_cover
@pytest.mark.tools
@settings(
    max_examples=150,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(patches=patch_lists())
def test_any_patches(tmp_path: Path, patches: list[dict[str, Any]]) -> None:
    found, unknown = computed(patches)

    real = kustomized(tmp_path / "build", patches)
    if real is None:
        assert unknown, patches
    elif not unknown:
        assert found == real, patches


def test_hostile_patches_end() -> None:
    patch = {"target": {"kind": ".*"}, "patch": "- {op: add, path: /metadata/labels, value: {a: b}}"}
    _, unknown = computed([patch] * 20_000)

    assert set(unknown.values()) == {"there is too much to work out"}
    many = merge("Deployment", *POD, "containers", value=[{"name": f"c{number}"} for number in range(20_000)])
    _, unknown = computed([{"target": {"kind": "Deployment"}, "patch": many}])
    assert unknown == {"deployment.yaml": "more than 500 elements"}
