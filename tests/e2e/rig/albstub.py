"""Stands in for the AWS Load Balancer Controller, which cannot be built here. NOT the real program.

Plays its part for Ingresses with the pod's own identity, so that RBAC, role and policy of the manifests are enforced,
and serves its webhooks with the certificate that the Deployment mounts. It knows a few annotations and proves nothing
about the real one's own: names of flags, validation, groups, Services, the Gateway API.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from e2e.rig.loadbalancer import LoadBalancers
from e2e.rig.standin import Api, repeat, serve
from e2e.rig.wanted import Backend, Place, Rule, Wanted

NOTE = "alb.ingress.kubernetes.io/"
FINALIZER = "ingress.k8s.aws/resources"
CONTROLLER = "ingress.k8s.aws/alb"
INGRESSES = "/apis/networking.k8s.io/v1"


class Stub:
    """The controller's loop."""

    def __init__(self, api: Api, balancers: LoadBalancers, flags: argparse.Namespace) -> None:
        self.api = api
        self.balancers = balancers
        self.flags = flags

    def __call__(self) -> None:
        classes = {
            each["metadata"]["name"]
            for each in self.api.items(f"{INGRESSES}/ingressclasses")
            if each["spec"]["controller"] == CONTROLLER
        }
        for ingress in self.api.items(f"{INGRESSES}/ingresses"):
            meta = ingress["metadata"]
            named = ingress["spec"].get("ingressClassName") or (meta.get("annotations") or {}).get(
                "kubernetes.io/ingress.class"
            )
            mine = named in classes or named == self.flags.ingress_class
            self._see_to(ingress, mine=mine and "deletionTimestamp" not in meta)

    def _see_to(self, ingress: dict[str, Any], *, mine: bool) -> None:
        meta = ingress["metadata"]
        path = f"{INGRESSES}/namespaces/{meta['namespace']}/ingresses/{meta['name']}"
        finalizers = meta.get("finalizers", [])
        stack = f"{meta['namespace']}/{meta['name']}"
        if not mine:
            if FINALIZER in finalizers:
                self.balancers.remove(stack)
                rest = [each for each in finalizers if each != FINALIZER]
                self.api.merge(path, {"metadata": {"finalizers": rest or None}})
            return
        if FINALIZER not in finalizers:
            self.api.merge(path, {"metadata": {"finalizers": [*finalizers, FINALIZER]}})
        host = self.balancers.ensure(self._wanted(ingress, stack))
        status = {"loadBalancer": {"ingress": [{"hostname": host}]}}
        have = ingress.get("status", {}).get("loadBalancer", {}).get("ingress", [])
        if [each.get("hostname") for each in have] != [host]:
            self.api.merge(f"{path}/status", {"status": status})
            self._event(meta)
            print("status", stack, host, flush=True)

    def _event(self, meta: dict[str, Any]) -> None:
        about = {"kind": "Ingress", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
        event = {
            "metadata": {"generateName": f"{meta['name']}."},
            "involvedObject": about,
            "reason": "SuccessfullyReconciled",
            "message": "Successfully reconciled",
            "type": "Normal",
            "source": {"component": "ingress"},
        }
        self.api("POST", f"/api/v1/namespaces/{meta['namespace']}/events", event)

    # ------------------------------------------------------------------------------------------------ what it should be

    def _wanted(self, ingress: dict[str, Any], stack: str) -> Wanted:
        notes = {key.removeprefix(NOTE): value for key, value in (ingress["metadata"].get("annotations") or {}).items()}
        rules = [
            Rule(
                rule["host"], path["path"] + ("*" if path["pathType"] == "Prefix" else ""), self._backend(ingress, path)
            )
            for rule in ingress["spec"].get("rules", [])
            for path in rule["http"]["paths"]
        ]
        hosts = sorted({rule.host for rule in rules})
        secure = bool(notes.get("certificate-arn")) or "tls" in ingress["spec"]
        ports = json.loads(notes.get("listen-ports", '[{"HTTPS": 443}]' if secure else '[{"HTTP": 80}]'))
        return Wanted(
            stack,
            notes.get("scheme", self.flags.default_load_balancer_scheme),
            {port: protocol for each in ports for protocol, port in each.items()},
            hosts,
            rules,
            notes.get("ssl-policy", self.flags.default_ssl_policy),
            notes.get("healthcheck-path", "/"),
            _words(notes.get("inbound-cidrs", "0.0.0.0/0")),
            _words(notes.get("certificate-arn", "")),
            _pairs(notes.get("load-balancer-attributes", "")),
            _pairs(notes.get("tags", "")),
        )

    def _backend(self, ingress: dict[str, Any], path: dict[str, Any]) -> Backend:
        service, space = path["backend"]["service"], ingress["metadata"]["namespace"]
        found = self.api("GET", f"/api/v1/namespaces/{space}/services/{service['name']}")
        port = service["port"].get("name") or service["port"]["number"]
        chosen = next(each for each in found["spec"]["ports"] if port in (each.get("name"), each["port"]))
        slices = self.api.items(
            f"/apis/discovery.k8s.io/v1/namespaces/{space}/endpointslices?labelSelector=kubernetes.io/service-name={service['name']}"
        )
        targets = {
            (address, target["port"])
            for each in slices
            for target in each["ports"] or []
            if target.get("name", "") == chosen.get("name", "")
            for endpoint in each["endpoints"] or []
            for address in endpoint["addresses"]
        }
        return Backend(service["name"], str(port), frozenset(targets))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _pairs(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in _words(text))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cluster-name", required=True)
    parser.add_argument("--aws-region", required=True)
    parser.add_argument("--aws-vpc-id", required=True)
    parser.add_argument("--ingress-class", required=True)
    parser.add_argument("--default-load-balancer-scheme", default="internal")
    parser.add_argument("--default-ssl-policy", required=True)
    parser.add_argument("--webhook-cert-dir", type=Path, required=True)
    flags, other = parser.parse_known_args()
    print("not modelled:", *other, flush=True)
    serve(9443, (flags.webhook_cert_dir / "tls.crt", flags.webhook_cert_dir / "tls.key"))
    place = Place(flags.cluster_name, flags.aws_region, flags.aws_vpc_id)
    repeat(Stub(Api(), LoadBalancers(place), flags), lambda: serve(61779))


if __name__ == "__main__":
    main()
