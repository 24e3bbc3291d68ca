"""Official Helm charts, out of the Go modules that publish them.

The chart of the AWS Load Balancer Controller is in none, so a stand-in of bench/peers.py takes its place; of External
Secrets, the last version that is a Go module serves.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from tools import build


class Chart(NamedTuple):
    """A chart in a module, of the version that the program of that name is built from, and values for it.

    The values make it do what the clusters of this benchmark ask for.
    """

    module: str
    folder: str
    values: dict[str, Any]


CHARTS = {
    "cert-manager": Chart("github.com/cert-manager/cert-manager", "deploy/charts/cert-manager", {}),
    "external-dns": Chart(
        "sigs.k8s.io/external-dns",
        "charts/external-dns",
        {
            "provider": {"name": "aws"},
            "policy": "upsert-only",
            "txtOwnerId": "c001",
            "domainFilters": ["c001.example.com"],
        },
    ),
    "external-secrets": Chart(
        "github.com/external-secrets/external-secrets", "deploy/charts/external-secrets", {"installCRDs": False}
    ),
}


def fetched(out: Path) -> bool:
    """Whether every chart could be had; each is then in a folder of its name, without the charts it depends on."""
    for name, chart in CHARTS.items():
        place = _module(name, chart)
        if place is None:
            return False
        _copy(place / chart.folder, out / name)
        about = out / name / "Chart.yaml"
        text = about.read_text(encoding="utf-8")
        about.write_text(re.sub(r"(?ms)^dependencies:\n(?:[ -].*?\n)+", "", text), encoding="utf-8")
        (out / name / "bench.yaml").write_text(json.dumps(chart.values), encoding="utf-8")
    return True


def _module(name: str, chart: Chart) -> Path | None:
    pins = (build.HERE / name / "go.mod").read_text(encoding="utf-8")
    pinned = re.search(rf"^\s*(?:require )?{re.escape(chart.module)} (v\S+)", pins, re.MULTILINE)
    assert pinned is not None, f"{name} is built from {chart.module}"
    return build.module(chart.module, pinned[1])


def _copy(folder: Path, out: Path) -> None:
    """The files alone: a module cache is read-only, and so would be a copy."""
    for path in folder.rglob("*"):
        if path.is_file():
            target = out / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
