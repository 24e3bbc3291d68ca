"""``okgen why``: from a rendered line to the line of cluster.yaml that caused it, and back."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from okgen.commands import options

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
PLACE is a rendered file or a cluster.yaml with a line, and a column where a line holds several values. FIELD names a
value as jq does, in place of the line: .spec.replicas, dns.zones[0].name, 'metadata.labels["app.kubernetes.io/name"]'.
A rendered file alone asks about all of it.

examples:
  okgen why output/shop-prod/addons/external-dns/deployment-external-dns.yaml:51
  okgen why output/shop-prod/iam/external-dns.policy.json .Statement[0].Resource
  okgen why cluster.yaml:27
  okgen why cluster.yaml addons.external-dns.policy
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("place", metavar="PLACE", help="FILE:LINE, FILE:LINE:COLUMN or FILE")
    parser.add_argument("field", nargs="?", metavar="FIELD", help="a value in the file, as jq names it")
    parser.add_argument(
        "--cluster", metavar="FILE", help="the cluster.yaml whose tree it is (default: found by itself)"
    )
    options.add_output(parser)
    parser.add_argument("--format", choices=("full", "json"), default="full", help="(default: full)")


def run(arguments: argparse.Namespace) -> int:
    """0 when there is an answer. Raises Unable, TemplateError."""
    from okgen.provenance import asked, told  # only here

    question = asked.question(arguments.place, arguments.field, arguments.cluster, arguments.output)
    answers = told.answers(question)
    if arguments.format == "json":
        sys.stdout.write(f"{json.dumps(told.as_json(answers), indent=2, ensure_ascii=True)}\n")
    else:
        sys.stdout.write("\n".join(told.as_text(answers)) + "\n")
    if question.is_edited:
        sys.stderr.write("the file on the disk is not what is rendered now, and the answer is about what is rendered\n")
    return 0
