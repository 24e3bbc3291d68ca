"""Stands in for GitHub's `gh api`: keeps comments in a file, and refuses to write them when it is told to.

The file named by $GH_RECORD holds {"comments": [...], "calls": [...]}; $GH_READ_ONLY stands for a token without rights.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

import jq


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("command", choices=["api"])
    parser.add_argument("path")
    parser.add_argument("--paginate", action="store_true")
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--jq")
    parser.add_argument("--method", default="GET")
    parser.add_argument("--field", action="append", default=[])
    call = parser.parse_args(arguments)
    place = Path(os.environ["GH_RECORD"])
    state = json.loads(place.read_text(encoding="utf-8"))
    state["calls"].append([call.method, call.path, os.environ.get("GH_TOKEN")])
    code = _answered(call, state["comments"])
    place.write_text(json.dumps(state), encoding="utf-8")
    return code


def _answered(call: argparse.Namespace, comments: list[dict[str, object]]) -> int:
    if call.method == "GET":
        for found in jq.compile(call.jq).input_value(comments).all():
            print(found)
        return 0
    if os.environ.get("GH_READ_ONLY"):
        print("gh: Resource not accessible by integration (HTTP 403)", file=sys.stderr)
        return 1
    name, value = call.field[0].split("=@")
    body = {name: Path(value).read_text(encoding="utf-8")}
    if call.method == "POST":
        comments.append({"id": len(comments) + 1, "user": {"type": "Bot"}, **body})
    else:
        (own,) = [each for each in comments if call.path.endswith(f"/issues/comments/{each['id']}")]
        own.update(body)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
