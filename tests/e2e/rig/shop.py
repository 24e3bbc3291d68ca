"""examples/shop: its names, what a run adds to its cluster.yaml, and more objects of the kind that its users write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rendering

if TYPE_CHECKING:
    from e2e.rig.kube import Object

SHOP = rendering.REPOSITORY / "examples" / "shop"
APP = SHOP / "app"
NAME, REGION, ZONE = "shop-prod", "eu-west-1", "shop.example.com"
SECRET = "/shop/prod/database/password"  # noqa: S105 - the parameter's name
# In this order: who serves a webhook comes before those whose objects it judges, who makes a certificate before who
# mounts it.
DEPLOYMENTS = (
    ("cert-manager", "cert-manager-webhook"),
    ("cert-manager", "cert-manager-cainjector"),
    ("cert-manager", "cert-manager"),
    ("external-secrets", "external-secrets-cert-controller"),
    ("external-secrets", "external-secrets-webhook"),
    ("external-secrets", "external-secrets"),
    ("kube-system", "aws-load-balancer-controller"),
    ("external-dns", "external-dns"),
)
# Those that call AWS: add-on, namespace, Deployment.
CALLERS = {
    "external-secrets": ("external-secrets", "external-secrets"),
    "aws-load-balancer-controller": ("kube-system", "aws-load-balancer-controller"),
    "external-dns": ("external-dns", "external-dns"),
}
# okgen renders External Secrets 2.9.0, and 0.20.4 is the newest that can be built here. It takes every flag; its
# controller has no /readyz yet, only the /healthz of the liveness probe.
READINESS = {"external-secrets": "/healthz"}
# What the scene's cluster.yaml has beyond the example's: a store for one namespace, and keys that only spare time.
STORES = [
    {"name": "parameter-store", "service": "ParameterStore", "prefix": "/shop/prod/"},
    {"name": "private", "service": "ParameterStore", "prefix": "/shop/private/", "namespaces": ["shop"]},
]
MORE = {
    "addons": {
        "external-dns": {"interval": "3s", "zonesCacheDuration": "0s"},
        "external-secrets": {"stores": STORES},
    }
}


def ingress(name: str, host: str, *, class_name: str = "alb", namespace: str = "shop", **notes: str) -> Object:
    """A further Ingress to the shop's Service; ``notes`` are annotations of load balancers, with _ for -."""
    backend = {"service": {"name": "shop", "port": {"name": "http"}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    said = {"scheme": "internet-facing", **{key.replace("_", "-"): value for key, value in notes.items()}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {f"alb.ingress.kubernetes.io/{key}": value for key, value in said.items()},
        },
        "spec": {"ingressClassName": class_name, "rules": [{"host": host, "http": {"paths": paths}}]},
    }


def external_secret(name: str, key: str, *, store: str = "parameter-store", namespace: str = "shop") -> dict[str, Any]:
    """An ExternalSecret of one key, ``value``."""
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": "ClusterSecretStore", "name": store},
            "target": {"name": name},
            "data": [{"secretKey": "value", "remoteRef": {"key": key}}],
        },
    }
