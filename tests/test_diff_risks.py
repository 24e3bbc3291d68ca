"""What a change of an object means: who may do more, what the API server refuses, what goes, what restarts."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from okgen.addons.catalogue import Catalogue
from okgen.diff import facts, policies, rights
from okgen.diff.items import items
from okgen.diff.nouns import CHANGED, Change, Difference, Item
from okgen.diff.read import Reader
from okgen.diff.units import Comparer

RBAC = "rbac.authorization.k8s.io"


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """What differs between two trees, files by path: data, or text as it is."""
    texts = [
        {path: value if isinstance(value, str) else written(path, value) for path, value in tree.items()}
        for tree in (old, new)
    ]
    paths = sorted({*old, *new})
    differing = [Difference(path, texts[0].get(path), texts[1].get(path)) for path in paths]
    return Comparer(Reader()).changes(each for each in differing if each.old != each.new)[0]


def written(path: str, value: Any) -> str:
    return json.dumps(value) if path.endswith(".json") else yaml.safe_dump(value, sort_keys=False)


def records_of(addon: str) -> dict[str, Any]:
    found: dict[str, Any] = Catalogue().addon(addon).definition.get("records", {})
    return found


def told(old: dict[str, Any], new: dict[str, Any]) -> list[Item]:
    return items("demo", CHANGED, changes(old, new), records_of)


def thing(api: str, kind: str, **rest: Any) -> dict[str, Any]:
    metadata = {"name": "a"} | rest.pop("metadata", {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def one(old: dict[str, Any], new: dict[str, Any], path: str = "addons/external-dns/a.yaml") -> list[Item]:
    """The items of one file that changed."""
    return told({path: old}, {path: new})


def lines(found: list[Item], risk: str) -> list[str]:
    return [line for item in found if item.risk == risk for line in item.lines]


# ----------------------------------------------------------------------------------------------------------------- RBAC


def role(*rules: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return thing(f"{RBAC}/v1", "ClusterRole", metadata=metadata, rules=list(rules))


def rule(verbs: str, resources: str, groups: str = "", **more: Any) -> dict[str, Any]:
    return {"apiGroups": groups.split(","), "resources": resources.split(","), "verbs": verbs.split(",")} | more


@pytest.mark.parametrize(
    ("old", "new", "wider", "narrower"),
    [
        ([rule("get", "pods")], [rule("get,list", "pods")], ["+ list: pods"], []),
        ([rule("get,list", "pods")], [rule("get", "pods")], [], ["- list: pods"]),
        ([rule("get", "pods")], [rule("get", "pods", "apps")], ["+ get: pods in apps"], ["- get: pods"]),
        ([rule("*", "*", "*")], [rule("get", "pods")], [], ["- *: * in any API group"]),
        ([rule("get", "*")], [rule("get", "pods,secrets")], [], ["- get: *"]),
        ([rule("get", "*/scale")], [rule("get", "deployments/scale")], [], ["- get: */scale"]),
        ([rule("get", "pods"), rule("get", "secrets")], [rule("get", "pods,secrets")], [], []),
        ([rule("get", "pods", resourceNames=["a"])], [rule("get", "pods")], ["+ get: pods"], []),
        ([rule("get", "pods")], [rule("get", "pods", resourceNames=["a"])], [], ["- get: pods"]),
        (
            [{"nonResourceURLs": ["/healthz/*"], "verbs": ["get"]}],
            [{"nonResourceURLs": ["/healthz/a", "/metrics"], "verbs": ["get"]}],
            ["+ get: /metrics"],
            ["- get: /healthz/*"],
        ),
    ],
)
def test_rules(old: list[Any], new: list[Any], wider: list[str], narrower: list[str]) -> None:
    found = one(role(*old), role(*new))
    assert lines(found, facts.WIDENED) == wider
    assert lines(found, facts.NARROWED) == narrower
    assert found, "what gives the same rights in other words is told all the same"


def test_rules_that_others_take_in_are_wider() -> None:
    label = {"labels": {f"{RBAC}/aggregate-to-edit": "true"}}
    found = one(role(rule("get", "pods")), role(rule("get", "pods"), **label))
    assert lines(found, facts.WIDENED) == ["+ its rules are part of ClusterRole edit"]
    assert lines(one(role(**label), role()), facts.NARROWED) == ["- its rules are part of ClusterRole edit"]


def test_rules_beyond_counting_are_told_as_wider() -> None:
    many = [rule(",".join(f"v{n}" for n in range(100)), ",".join(f"r{n}" for n in range(300)))]
    assert lines(one(role(), role(*many)), facts.WIDENED) == ["+ more rules than can be compared"]


def binding(name: str, *subjects: str) -> dict[str, Any]:
    given = [{"kind": "ServiceAccount", "namespace": "x", "name": each} for each in subjects]
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    return thing(f"{RBAC}/v1", "ClusterRoleBinding", roleRef=reference, subjects=given)


def test_bindings() -> None:
    found = one(binding("edit", "a"), binding("edit", "b"))
    assert lines(found, facts.WIDENED) == ["+ ClusterRole edit for ServiceAccount x/b"]
    assert lines(found, facts.NARROWED) == ["- ClusterRole edit for ServiceAccount x/a"]
    (refused,) = [each for each in one(binding("edit", "a"), binding("admin", "a")) if each.risk == facts.REFUSED]
    assert refused.lines == ("~ roleRef.name: edit → admin",)


@pytest.mark.parametrize(
    ("old", "new", "risk", "line"),
    [
        ("restricted", "baseline", facts.WIDENED, "restricted → baseline"),
        ("privileged", "restricted", facts.NARROWED, "privileged → restricted"),
    ],
)
def test_pod_security(old: str, new: str, risk: str, line: str) -> None:
    labels = ({"pod-security.kubernetes.io/enforce": each} for each in (old, new))
    before, after = (thing("v1", "Namespace", metadata={"labels": each}) for each in labels)
    assert lines(one(before, after), risk)[0].endswith(line)


def test_what_a_project_admits() -> None:
    def project(*spaces: str) -> dict[str, Any]:
        return thing("argoproj.io/v1alpha1", "AppProject", spec={"destinations": [{"namespace": e} for e in spaces]})

    found = one(project("a", "b"), project("b", "c"), "argocd/appproject-demo.yaml")
    assert (lines(found, facts.WIDENED), lines(found, facts.NARROWED)) == (["+ deploy to c"], ["- deploy to a"])


# ------------------------------------------------------------------------------------------------------------------ IAM


def statement(**elements: Any) -> dict[str, Any]:
    return {"Sid": "A", "Effect": "Allow", "Action": ["s:Get"], "Resource": ["r1"]} | elements


@pytest.mark.parametrize(
    ("old", "new", "wider", "narrower"),
    [
        ({}, {"Action": ["s:Get", "s:Put"]}, ["+ A: action s:Put"], []),
        ({"Action": ["s:*"]}, {"Action": ["s:Get"]}, [], ["- A: action s:*"]),
        ({"Action": ["s:Get"]}, {"Action": "s:G?t"}, ["+ A: action s:G?t"], []),
        ({"Resource": ["r1", "r2"]}, {}, [], ["- A: resource r2"]),
        ({}, {"Resource": "*"}, ["+ A: resource *"], []),
        ({"NotAction": ["a"]}, {"NotAction": ["a", "b"]}, [], ["+ A: all but action b"]),
        ({"Condition": {"StringEquals": {"k": "v"}}}, {}, ["- A: condition StringEquals k: v"], []),
        ({}, {"Condition": {"StringEquals": {"k": "v"}}}, [], ["+ A: condition StringEquals k: v"]),
        (
            {"Condition": {"StringLike": {"k": ["v"]}}},
            {"Condition": {"StringLike": {"k": ["v", "w*"]}}},
            ["+ A: condition StringLike k: w*"],
            [],
        ),
        (
            {"Condition": {"StringNotEquals": {"k": ["v"]}}},
            {"Condition": {"StringNotEquals": {"k": ["v", "w"]}}},
            [],
            ["+ A: condition StringNotEquals k: w"],
        ),
        (
            {"Condition": {"Bool": {"k": "true"}}},
            {"Condition": {"Bool": {"k": "false"}}},
            ["+ A: condition Bool k: false", "- A: condition Bool k: true"],
            [],
        ),
        ({"Effect": "Deny"}, {"Effect": "Deny", "Action": ["s:Get", "s:Put"]}, [], ["+ A: Deny action s:Put"]),
        ({"Effect": "Deny"}, {}, ["- A: Deny s:Get on r1", "+ A: s:Get on r1"], []),
        (
            {"Principal": {"Service": "a"}},
            {"Principal": {"Service": ["a", "b"], "AWS": "*"}},
            ["+ A: principal Service b", "+ A: principal AWS *"],
            [],
        ),
        ({"Sid": "B"}, {}, ["+ A: s:Get on r1"], ["- B: s:Get on r1"]),
    ],
)
def test_statements(old: Any, new: Any, wider: list[str], narrower: list[str]) -> None:
    path = "iam/external-dns.policy.json"
    before, after = ({"Version": "2012-10-17", "Statement": [statement(**each)]} for each in (old, new))
    found = one(before, after, path)
    assert (lines(found, facts.WIDENED), lines(found, facts.NARROWED)) == (wider, narrower)


def test_a_statement_that_moves_to_another_policy_or_is_cut_gives_nothing() -> None:
    first, second = "iam/external-dns.policy.json", "iam/external-dns.policy-2.json"
    whole = [statement(Resource=["r1", "r2", "r3"]), statement(Sid="B")]
    parts = [statement(Resource=["r1", "r2"])], [statement(Sid="APart2", Resource=["r3"]), statement(Sid="B")]
    found = told({first: {"Statement": whole}}, {first: {"Statement": parts[0]}, second: {"Statement": parts[1]}})
    assert [each.risk for each in found] == [facts.REST]
    assert found[0].note == "it allows the same as before"


def test_statements_without_sid_and_nonsense() -> None:
    def unit(value: Any) -> Any:
        return Reader().unit("iam/a.policy.json", json.dumps({"Statement": value}))

    verdict = policies.of([unit([{"Effect": "Allow", "Action": 1}, "x"])], [unit({"Effect": "Allow", "Action": "*"})])
    assert verdict.wider == ["+ *"]
    assert policies.of([unit(None)], [unit([])]) == policies.Verdict([], [])


def test_the_template_repeats_the_policies_and_is_told_for_the_rest_only() -> None:
    def tree(action: str, name: str) -> dict[str, Any]:
        document = {"Version": "2012-10-17", "Statement": [statement(Action=[action])]}
        resource = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "PermissionsBoundary": "arn"}}
        policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}}
        resources = {"ExternalDnsRole": resource, "ExternalDnsPolicy": policy}
        return {"iam/cloudformation.yaml": {"Resources": resources}, "iam/external-dns.policy.json": document}

    assert [(e.risk, e.subject) for e in told(tree("a", "one"), tree("b", "one"))] == [
        (facts.WIDENED, "IAM policy of external-dns"),
        (facts.NARROWED, "IAM policy of external-dns"),
    ]
    (replaced,) = told(tree("a", "one"), tree("a", "two"))
    assert (replaced.risk, replaced.note.split()[0]) == (facts.REMOVAL, "CloudFormation")
    other = tree("a", "one")
    del other["iam/cloudformation.yaml"]["Resources"]["ExternalDnsRole"]["Properties"]["PermissionsBoundary"]
    assert [each.risk for each in told(tree("a", "one"), other)] == [facts.WIDENED]


# ------------------------------------------------------------------------------------------------------------ immutable


def test_every_immutable_field_is_refused() -> None:
    for (group, kind), table in facts.IMMUTABLE.items():
        for each in table:
            old, new = ({"x": 1}, {"x": 2}) if not each.to else ("RollingUpdate", each.to)
            sides = [thing(f"{group}/v1" if group else "v1", kind, **nested(each.path, value)) for value in (old, new)]
            first, *_ = one(sides[0], sides[1])
            assert first.risk == facts.REFUSED, (kind, each)


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for step in reversed(path):
        value = {step: value}
    return dict(value)


@pytest.mark.parametrize(
    ("api", "kind", "old", "new"),
    [
        ("apps/v1", "StatefulSet", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}),
        ("apps/v1", "Deployment", {"spec": {"strategy": {"type": "Recreate"}}}, {"spec": {"strategy": {"type": "x"}}}),
        ("v1", "Service", {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1"}}),
        ("v1", "PersistentVolumeClaim", {"spec": {"resources": {"a": 1}}}, {"spec": {"resources": {"a": 2}}}),
        (
            "v1",
            "Pod",
            {"spec": {"containers": [{"name": "a", "image": "b:1"}]}},
            {"spec": {"containers": [{"name": "a", "image": "b:2"}]}},
        ),
        ("v1", "ConfigMap", {"data": {"a": "b"}}, {"data": {"a": "c"}}),
    ],
)
def test_what_may_change_is_not_refused(api: str, kind: str, old: Any, new: Any) -> None:
    assert facts.REFUSED not in [each.risk for each in one(thing(api, kind, **old), thing(api, kind, **new))]


def test_what_is_sealed_is_refused() -> None:
    old, new = (thing("v1", "ConfigMap", immutable=True, data={"a": each}) for each in "bc")
    assert [each.risk for each in one(old, new)] == [facts.REFUSED]


# -------------------------------------------------------------------------------------------------------------- removal


@pytest.mark.parametrize(
    ("gone", "note"),
    [
        (thing("v1", "Namespace"), "Argo CD prunes it: everything in it goes with it"),
        (thing("v1", "Namespace", metadata={"annotations": {facts.SYNC_OPTIONS: "A=b,Prune=false"}}), "it stays in"),
        (
            thing("argoproj.io/v1alpha1", "Application", metadata={"finalizers": [facts.FINALIZER]}),
            "Argo CD deletes all",
        ),
        (thing("argoproj.io/v1alpha1", "Application"), "what it made stays"),
        (thing("v1", "Service"), "Argo CD prunes it"),
        (thing("v1", "Service", metadata={"namespace": "x"}), "Argo CD leaves it in the cluster"),
    ],
)
def test_what_a_removal_leads_to(gone: dict[str, Any], note: str) -> None:
    def project(*spaces: str) -> dict[str, Any]:
        return thing("argoproj.io/v1alpha1", "AppProject", spec={"destinations": [{"namespace": e} for e in spaces]})

    narrowed = "argocd/appproject-demo.yaml"
    found = told({"addons/a/x.yaml": gone, narrowed: project("x")}, {narrowed: project("z")})
    (removed,) = [each for each in found if each.risk == facts.REMOVAL]
    assert removed.note.startswith(note)


def kustomization(*resources: str, patch: str = "") -> dict[str, Any]:
    target = {"target": {"kind": "CustomResourceDefinition"}, "patch": patch}
    return {"resources": list(resources), **({"patches": [target]} if patch else {})}


def test_upstream_files_by_their_address() -> None:
    path, start = "addons/external-dns/kustomization.yaml", "https://example.com/"
    old = kustomization(f"{start}{'a' * 40}/crd.yaml", f"{start}x.yaml")
    moved = one(old, kustomization(f"{start}{'b' * 40}/crd.yaml", f"{start}x.yaml"), path)
    assert [(e.risk, e.lines) for e in moved] == [(facts.REST, (f"~ crd.yaml: {'a' * 12} → {'b' * 12}",))]
    (gone,) = one(old, kustomization(f"{start}x.yaml"), path)
    assert (gone.risk, gone.lines) == (facts.REMOVAL, ("- crd.yaml",))
    assert gone.note == "its CRDs go, and with them every object of their kinds"
    kept = kustomization(*old["resources"], patch=f"metadata: {{annotations: {{x: {facts.KEPT}}}}}")
    (gone,) = [e for e in one(kept, kept | {"resources": old["resources"][1:]}, path) if e.risk == facts.REMOVAL]
    assert gone.note.startswith("its CRDs stay")
    vendored = [kustomization(f"../../../_vendor/external-dns/{version}") for version in ("1.0", "1.1")]
    (moved_too,) = one(vendored[0], vendored[1], path)
    assert moved_too.lines == ("~ ../../../_vendor/external-dns: 1.0 → 1.1",)


def test_a_file_beside_is_told_itself_and_its_entry_only_follows() -> None:
    path, beside = "addons/external-dns/kustomization.yaml", "addons/external-dns/service-a.yaml"
    old = {path: kustomization("service-a.yaml"), beside: thing("v1", "Service")}
    assert [each.subject for each in told(old, {path: kustomization()})] == ["Service a"]
    hidden = told(old, {**old, path: kustomization()})
    assert [(each.risk, each.lines) for each in hidden] == [(facts.REMOVAL, ("- service-a.yaml",))]


# -------------------------------------------------------------------------------------------------------- pods and DNS


def deployment(*args: str, image: str = "i:1", **pod: Any) -> dict[str, Any]:
    container = {"name": "a", "image": image, "args": list(args)}
    return thing("apps/v1", "Deployment", spec={"template": {"spec": {"containers": [container], **pod}}})


def test_images_and_restarts() -> None:
    found = one(deployment(), deployment(image="i:2", priorityClassName="high"))
    assert [(each.risk, each.lines) for each in found] == [
        (facts.IMAGE, ("~ containers[a].image: i:1 → i:2",)),
        (facts.RESTART, ("+ spec.priorityClassName: high",)),
    ]
    scaled = one(deployment() | {"spec": {"replicas": 1}}, deployment() | {"spec": {"replicas": 2}})
    assert [each.risk for each in scaled] == [facts.REST]


def test_powers_of_pods() -> None:
    found = one(deployment(), deployment(hostNetwork=True, securityContext={"runAsNonRoot": True}))
    assert lines(found, facts.WIDENED) == ["+ spec.template.spec.hostNetwork: not set → true"]
    assert lines(found, facts.NARROWED) == ["- spec.template.spec.securityContext.runAsNonRoot: not set → true"]


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (["--policy=upsert-only"], ["--policy=sync"], "deleted from now on: records of this owner id"),
        (["--policy=sync"], ["--policy=upsert-only"], "orphaned from now on"),
        (["--txt-owner-id=a"], ["--txt-owner-id=b"], "orphaned: all records under the owner id a"),
        (["--domain-filter=a", "--domain-filter=b"], ["--domain-filter=a"], "orphaned: records in b"),
        ([], ["--domain-filter=a"], "orphaned: records outside of a"),
        (["--domain-filter=a"], [], ""),
        (["--domain-filter=a"], ["--domain-filter=a", "--domain-filter=b"], ""),
        ([], ["--exclude-domains=a"], "orphaned: records in a"),
        (["--policy=sync", "--source=a", "--source=b"], ["--policy=sync", "--source=a"], "deleted: records of objects"),
        (["--source=a", "--source=b"], ["--source=a"], "orphaned: records of objects of the source b"),
        (["--publish-internal-services"], [], "orphaned: records of Services of type ClusterIP"),
        (["--txt-prefix=a"], ["--txt-prefix=b"], "orphaned: all records whose ownership record stands under the other"),
    ],
)
def test_what_happens_to_records(old: list[str], new: list[str], note: str) -> None:
    (found, *rest) = one(deployment(*old), deployment(*new))
    assert found.risk == facts.DNS
    assert found.note.startswith(note)
    assert bool(note) is bool(found.note)
    assert [each.risk for each in rest] == [facts.RESTART]
    assert rest[0].lines == (), "what is told of records is not told again"


def test_arguments_that_have_nothing_to_do_with_records() -> None:
    found = one(deployment("--log-level=info"), deployment("--log-level=debug"))
    assert [(each.risk, each.lines) for each in found] == [
        (facts.RESTART, ("~ --log-level: info → debug",)),
    ]


def test_every_flag_of_the_definition_is_one_of_the_templates() -> None:
    import rendering

    text = "".join(path.read_text(encoding="utf-8") for path in rendering.OVERLAYS.glob("external-dns/base/*.yaml"))
    flags = {"--policy", *records_of("external-dns")["arguments"]}
    assert {flag for flag in flags if flag not in text} == set()


def test_the_content_of_secrets_is_not_shown() -> None:
    old, new = (thing("v1", "Secret", data={"a": each}) for each in ("b2xk", "bmV3"))
    (found,) = one(old, new)
    assert found.lines == ("~ data.a: (hidden) → (hidden)",)


def test_rights_of_what_is_no_object_are_none() -> None:
    (change,) = changes({"iam/a.trust.json": "{"}, {"iam/a.trust.json": {"Statement": []}})
    assert change.remark.startswith("cannot be compared as data: no JSON")
    assert rights.of(change) == rights.Rights([], [], ())
