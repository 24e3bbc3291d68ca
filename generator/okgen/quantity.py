"""Kubernetes quantities, to compare a request with its limit."""

from __future__ import annotations

_UNITS = {"": 0, "m": -1, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def amount(text: str | int) -> float:
    """The number behind ``100m``, ``1.5Gi`` or ``2e3``, in the resource's base unit.

    Source: k8s.io/apimachinery/pkg/api/resource, whose grammar the schema checks before.
    """
    text = str(text)
    if text.endswith("i"):
        return float(text[:-2]) * 1024 ** _UNITS[text[-2]] if text[-2] != "K" else float(text[:-2]) * 1024
    digits = text.rstrip("mkMGTPE")
    unit = text[len(digits) :]
    return float(digits) * 1000 ** _UNITS[unit]
