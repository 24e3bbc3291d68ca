"""Kubernetes quantities, to compare a request with its limit."""

from __future__ import annotations

from functools import lru_cache

_UNITS = {
    "Ki": 1024.0,
    "Mi": 1024.0**2,
    "Gi": 1024.0**3,
    "Ti": 1024.0**4,
    "Pi": 1024.0**5,
    "Ei": 1024.0**6,
    "m": 1e-3,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
}


@lru_cache(maxsize=256)
def amount(quantity: str | int) -> float:
    """The number behind ``100m``, ``1.5Gi`` or ``2e3``, in the resource's base unit.

    Source: k8s.io/apimachinery/pkg/api/resource, whose grammar the schema checks before.
    """
    text = str(quantity)
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)
