"""``okgen why``: from a rendered line to the line of cluster.yaml that caused it, and back."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from okgen.commands import options
from okgen.manual import Example, Manual

if TYPE_CHECKING:
    import argparse

MANUAL = Manual(
    """\
For a line of a rendered file: the template it comes from with the expression in it, the defaults,
derived values and facts of the add-on's version that went into it, and the lines of cluster.yaml. For
a line of cluster.yaml: every value of the tree that it has to do with. Both are worked out from the
render itself. FIELD names a value in place of the line, as jq does: .spec.replicas, dns.zones[0].name,
'metadata.labels["app.kubernetes.io/name"]'. A rendered file without either asks about all of it.
""",
    {0: "the answer is on stdout", 2: "there is none: no such place, not rendered, or mistakes in cluster.yaml"},
    (
        Example("okgen why output/shop/addons/external-dns/deployment-external-dns.yaml:51", "why this line"),
        Example("okgen why output/shop/iam/external-dns.policy.json .Statement[0].Resource", "why this right"),
        Example("okgen why cluster.yaml:9", "what this line does"),
        Example("okgen why cluster.yaml addons.external-dns.policy", "what this key does, given or not"),
    ),
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument("place", metavar="PLACE", help="FILE:LINE, FILE:LINE:COLUMN or FILE")
    parser.add_argument("field", nargs="?", metavar="FIELD", help="a value in the file, as jq names it")
    parser.add_argument("--cluster", metavar="FILE", help="the cluster.yaml whose tree it is; default: found")
    options.add_output(parser)
    parser.add_argument("--format", choices=("full", "json"), default="full", help="default: full")


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
