"""Turns one rendered cluster into the same work for other tools: Helm charts and a Jsonnet program.

    python bench/peers.py TREE NAME OUT COUNT

TREE is the rendered cluster called NAME. OUT/charts/ADDON gets a chart per add-on whose templates are the rendered
objects with the cluster's name as the only value, cheaper to render than upstream's charts. OUT/charts-ca is the same,
but the chart of the load balancer controller makes a CA and a certificate in each run, as upstream's does even where
cert-manager is to make them. OUT/charts-upstream has that chart and the official ones of the other add-ons, where they
can be had. OUT/main.jsonnet makes the objects of COUNT clusters, a file per add-on.
Run as a process of its own, so that its memory is not in the figures.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

import charts

NAME = "zqzname"


def objects(folder: Path) -> list[dict[str, Any]]:
    """The objects of a rendered directory, in the order of their files."""
    files = [path for path in sorted(folder.glob("*.yaml")) if path.name != "kustomization.yaml"]
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in files]


def chart(name: str, found: list[dict[str, Any]], cluster: str, folder: Path) -> None:
    """A chart whose templates are the objects, each in its file."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n", encoding="utf-8")
    for number, each in enumerate(found):
        text = yaml.safe_dump(each, sort_keys=False).replace("{{", "{{ `{{` }}").replace(cluster, "{{ .Values.name }}")
        (folder / "templates" / f"{number:03}.yaml").write_text(text, encoding="utf-8")
    (folder / "bench.yaml").write_text(f"name: {cluster}\n", encoding="utf-8")


def expression(value: Any, cluster: str) -> str:
    """A value as Jsonnet, with the cluster's name as the variable c."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(str(k))}:{expression(v, cluster)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(expression(each, cluster) for each in value) + "]"
    if isinstance(value, str) and cluster in value:
        return "(" + "+c+".join(json.dumps(part) for part in value.split(cluster)) + ")"
    return json.dumps(value)


def program(folders: dict[str, list[dict[str, Any]]], cluster: str, count: int) -> str:
    """A Jsonnet program that makes a file per folder and cluster."""
    libraries = []
    for name, found in folders.items():
        listed = ",\n".join(expression(each, cluster) for each in found)
        libraries.append(f"{json.dumps(name)}: function(c) [\n{listed}\n]")
    text = "std.join('---\\n', [std.manifestYamlDoc(o, true, false) + '\\n' for o in parts[p](c)])"
    clusters = f"[std.format('c%03d', i) for i in std.range(1, {count})]"
    files = f"[c + '/' + p + '.yaml']: {text} for c in {clusters} for p in std.objectFields(parts)"
    joined = ",\n".join(libraries)
    return f"local parts = {{\n{joined}\n}};\n{{{files}}}\n"


def main(tree: Path, cluster: str, out: Path, count: int) -> None:
    """Writes the charts and the program."""
    addons = {folder.name: objects(folder) for folder in sorted((tree / "addons").iterdir())}
    for name, found in addons.items():
        chart(name, found, cluster, out / "charts" / name)
        chart(name, found, cluster, out / "charts-ca" / name)
    ca = '{{- $ca := genCA "ca" 3650 }}{{- $_ := genSignedCert "webhook" nil (list "webhook") 3650 $ca }}'
    made = out / "charts-ca" / "aws-load-balancer-controller"
    (made / "templates/ca.yaml").write_text(ca, encoding="utf-8")
    official = out / "charts-upstream"
    if charts.fetched(official):
        shutil.copytree(made, official / made.name)
    else:
        shutil.rmtree(official, ignore_errors=True)
    folders = addons | {name: objects(tree / name) for name in ("argocd", "bootstrap", "namespaces")}
    (out / "main.jsonnet").write_text(program(folders, cluster, count), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
