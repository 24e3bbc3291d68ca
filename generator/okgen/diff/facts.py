"""The facts about Kubernetes, AWS and Argo CD that a comparison rests on, as tables, each with its source."""

from __future__ import annotations

from typing import NamedTuple

# -------------------------------------------------------------------------------------------------------------- risks

REMOVAL, REFUSED, WIDENED, NARROWED, DNS, IMAGE, RESTART, REST = (
    "removal",
    "refused",
    "widened-rights",
    "narrowed-rights",
    "dns",
    "image",
    "restart",
    "other",
)


class Risk(NamedTuple):
    """How a risk is headed, and the word for it in a table."""

    heading: str
    verdict: str


# The gravest first: what cannot be taken back, what stops the rollout, who may do more, what users notice.
RISKS = {
    REMOVAL: Risk("Removals", "removal"),
    REFUSED: Risk("Refused by the API server", "refused"),
    WIDENED: Risk("Wider rights", "wider rights"),
    NARROWED: Risk("Narrower rights", "narrower rights"),
    DNS: Risk("DNS", "DNS"),
    IMAGE: Risk("Images", "image"),
    RESTART: Risk("Pods restart", "restart"),
    REST: Risk("The rest", "changed"),
}

# -------------------------------------------------------------------------------------------------------------- lists


class Keys(NamedTuple):
    """What tells the entries of a list apart; an entry must have ``needed`` and may have ``optional``."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


_NAME = Keys(("name",))
_GROUP_KIND = Keys(("group", "kind"))
# By the name of the field that holds the list: the first whose keys all entries have, and no two the same.
# Kubernetes: patchMergeKey and listMapKey of k8s.io/api (core/v1, apps/v1, admissionregistration/v1). Lists that
# Kubernetes replaces as a whole are told apart by what a reader takes for their identity: marked "reading".
MERGE_KEYS: dict[str, tuple[Keys, ...]] = {
    "conditions": (Keys(("type",)),),
    "containers": (_NAME,),
    "initContainers": (_NAME,),
    "ephemeralContainers": (_NAME,),
    "env": (_NAME,),
    "ports": (Keys(("containerPort",), ("protocol",)), Keys(("port",), ("protocol",)), _NAME),
    "volumes": (_NAME,),
    "volumeMounts": (Keys(("mountPath",)),),
    "volumeDevices": (Keys(("devicePath",)),),
    "imagePullSecrets": (_NAME,),
    "secrets": (_NAME,),
    "hostAliases": (Keys(("ip",)),),
    "topologySpreadConstraints": (Keys(("topologyKey", "whenUnsatisfiable")),),
    "ownerReferences": (Keys(("uid",)),),
    "webhooks": (_NAME,),
    "matchExpressions": (Keys(("key", "operator")),),  # reading
    "httpHeaders": (_NAME,),  # reading
    "rules": (Keys((), ("apiGroups", "resources", "resourceNames", "nonResourceURLs", "apiVersions")),),  # reading
    "subjects": (Keys(("kind", "name"), ("namespace",)),),  # reading
    "tolerations": (Keys((), ("key", "operator", "value", "effect")),),  # reading
    # Argo CD, pkg/apis/application/v1alpha1: atomic lists; reading.
    "destinations": (Keys(("namespace",), ("server", "name")),),
    "clusterResourceWhitelist": (_GROUP_KIND,),
    "namespaceResourceWhitelist": (_GROUP_KIND,),
    # Kustomize, api/types: a patch is its target; reading.
    "patches": (Keys(("target",)),),
    # IAM user guide, "IAM JSON policy elements: Sid"; CloudFormation's tags.
    "Statement": (Keys(("Sid",)),),
    "Tags": (Keys(("Key",)),),
}

# ------------------------------------------------------------------------------------------------------------- folded

# Paths of fields that follow others: the labels of an object (not those of its pods, which restart by them), and
# okgen's digest of a folder.
FOLDED = (
    ("metadata", "labels", "app.kubernetes.io/version"),
    ("metadata", "annotations", "okgen.dev/tree-digest"),
)
FOLDED_FILES = ("README.md", ".okgen.json")

# ---------------------------------------------------------------------------------------------------------- immutable

# Steps that stand for anything in a path of the tables below.
ANY = "*"


class Immutable(NamedTuple):
    """A field that an update cannot change; ``but`` are paths below it that it can. ``to``: only for this new value."""

    path: tuple[str, ...]
    but: tuple[tuple[str, ...], ...] = ()
    to: str = ""
    when_set: bool = False  # it may be set once


_SELECTOR = Immutable(("spec", "selector"))
_ROLE_REF = Immutable(("roleRef",))
# Kubernetes' pkg/apis/<group>/validation: ValidateImmutableField and its kin. By (API group, kind).
IMMUTABLE: dict[tuple[str, str], tuple[Immutable, ...]] = {
    # apps: a strategy turned to Recreate is refused while the defaulted rollingUpdate is still there
    # (ValidateDeploymentStrategy: "may not be specified when strategy `type` is 'Recreate'").
    ("apps", "Deployment"): (_SELECTOR, Immutable(("spec", "strategy", "type"), to="Recreate")),
    ("apps", "DaemonSet"): (_SELECTOR,),
    ("apps", "ReplicaSet"): (_SELECTOR,),
    ("apps", "StatefulSet"): (  # ValidateStatefulSetUpdate lists what may change
        Immutable(
            ("spec",),
            but=(
                ("replicas",),
                ("ordinals",),
                ("template",),
                ("updateStrategy",),
                ("revisionHistoryLimit",),
                ("persistentVolumeClaimRetentionPolicy",),
                ("minReadySeconds",),
            ),
        ),
    ),
    ("batch", "Job"): tuple(  # ValidateJobSpecUpdate
        Immutable(("spec", name))
        for name in (
            "selector",
            "template",
            "completions",
            "completionMode",
            "podFailurePolicy",
            "backoffLimitPerIndex",
            "successPolicy",
            "managedBy",
        )
    ),
    ("", "Service"): (  # ValidateServiceUpdate: once they have a value
        Immutable(("spec", "clusterIP"), when_set=True),
        Immutable(("spec", "clusterIPs"), when_set=True),
        Immutable(("spec", "loadBalancerClass"), when_set=True),
    ),
    ("", "PersistentVolumeClaim"): (  # ValidatePersistentVolumeClaimUpdate
        Immutable(("spec",), but=(("resources",), ("volumeAttributesClassName",))),
    ),
    ("", "Secret"): (Immutable(("type",)),),  # ValidateSecretUpdate
    ("", "Pod"): (  # ValidatePodUpdate
        Immutable(
            ("spec",),
            but=(
                ("containers", ANY, "image"),
                ("initContainers", ANY, "image"),
                ("activeDeadlineSeconds",),
                ("tolerations",),
            ),
        ),
    ),
    ("rbac.authorization.k8s.io", "RoleBinding"): (_ROLE_REF,),  # ValidateRoleBindingUpdate
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (_ROLE_REF,),
    ("storage.k8s.io", "StorageClass"): tuple(  # ValidateStorageClassUpdate
        Immutable((name,)) for name in ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode")
    ),
    ("storage.k8s.io", "CSIDriver"): (  # ValidateCSIDriverUpdate
        Immutable(("spec", "attachRequired")),
        Immutable(("spec", "volumeLifecycleModes")),
    ),
    ("scheduling.k8s.io", "PriorityClass"): (  # ValidatePriorityClassUpdate
        Immutable(("value",)),
        Immutable(("preemptionPolicy",)),
    ),
    ("networking.k8s.io", "IngressClass"): (Immutable(("spec", "controller")),),  # ValidateIngressClassUpdate
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (  # ValidateCustomResourceDefinitionUpdate
        Immutable(("spec", "scope")),
        Immutable(("spec", "group")),
        Immutable(("spec", "names", "kind")),
    ),
}
# A ConfigMap or Secret that says `immutable: true` (ValidateConfigMapUpdate, ValidateSecretUpdate).
SEALED = {("", "ConfigMap"): ("data", "binaryData", "immutable"), ("", "Secret"): ("data", "stringData", "immutable")}

# CloudFormation template reference, "Update requires: Replacement": the resource is made anew, the old one deleted.
REPLACED: dict[str, tuple[str, ...]] = {
    "AWS::IAM::Role": ("RoleName", "Path"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "Path", "Description"),
    "AWS::EKS::PodIdentityAssociation": ("ClusterName", "Namespace", "ServiceAccount"),
}

# ---------------------------------------------------------------------------------------------------------- workloads

# Where the template of its pods stands; pods of the first three are replaced when it changes (apps/v1: a hash of it).
POD_TEMPLATES: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
}
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")

# ------------------------------------------------------------------------------------------------------------- rights

RBAC = "rbac.authorization.k8s.io"
ROLES = ((RBAC, "Role"), (RBAC, "ClusterRole"))
BINDINGS = ((RBAC, "RoleBinding"), (RBAC, "ClusterRoleBinding"))
# A label of ClusterRoles by which others take their rules in ("Aggregated ClusterRoles" in the Kubernetes docs).
AGGREGATED = "rbac.authorization.k8s.io/aggregate-to-"


class Grant(NamedTuple):
    """A list whose entries are rights: more of them is more. ``what`` they allow."""

    path: tuple[str, ...]
    what: str


# Argo CD's project specification: what is not listed is not synced.
GRANTS: dict[tuple[str, str], tuple[Grant, ...]] = {
    ("argoproj.io", "AppProject"): tuple(
        Grant(("spec", name), what)
        for name, what in (
            ("sourceRepos", "sync from"),
            ("destinations", "deploy to"),
            ("clusterResourceWhitelist", "cluster-scoped kind"),
            ("namespaceResourceWhitelist", "namespaced kind"),
        )
    ),
}

# Pod Security Standards: the fields that the levels baseline and restricted forbid or ask for, and the values that give
# a pod more power over its node, None where the lack of a value does. By the last steps of a path.
POWERS: dict[tuple[str, ...], tuple[object, ...]] = {
    ("securityContext", "privileged"): (True,),
    ("securityContext", "allowPrivilegeEscalation"): (True, None),
    ("securityContext", "runAsNonRoot"): (False, None),
    ("spec", "hostNetwork"): (True,),
    ("spec", "hostPID"): (True,),
    ("spec", "hostIPC"): (True,),
}
# The weakest first ("Pod Security Standards").
SECURITY_LEVELS = ("privileged", "baseline", "restricted")
SECURITY_LABELS = tuple(f"pod-security.kubernetes.io/{mode}" for mode in ("enforce", "audit", "warn"))
# EKS user guide, "Assign IAM roles to Kubernetes service accounts".
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"

# IAM user guide, "IAM JSON policy elements: Condition operators": more values of a negated operator allow less.
NEGATED = "Not"  # StringNotEquals, ArnNotLike, NotIpAddress …
# Their values are bounds or facts, of which none is wider than another.
UNORDERED_OPERATORS = ("LessThan", "GreaterThan", "Null", "Bool")

# ------------------------------------------------------------------------------------------------------------ removal

# Argo CD's sync options and finalizers.
SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
KEPT = "Prune=false"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
# Kinds that hold data, or by which data goes.
HOLDS_DATA = {
    ("", "Namespace"): "everything in it goes with it",
    ("", "PersistentVolumeClaim"): "its volume goes with it unless the StorageClass retains it",
    ("", "PersistentVolume"): "",
    ("", "Secret"): "what it holds is lost",
    ("", "ConfigMap"): "what it holds is lost",
    ("apps", "StatefulSet"): "its PersistentVolumeClaims stay unless its retention policy says otherwise",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "every object of its kind goes with it",
}

# Never shown: the content of Secrets.
HIDDEN = {("", "Secret"): ("data", "stringData")}
