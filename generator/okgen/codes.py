"""The stable codes of problems: the one place where they are listed; documentation and ``--help`` read it."""

from __future__ import annotations

from typing import NamedTuple

ERROR, WARNING, EITHER = "error", "warning", "either"


class Code(NamedTuple):
    """What a code stands for: a title of a few words and a text on cause and way out.

    ``severity`` is that of its problems. ``fleet``: it compares the clusters of a run with one another. ``meta``: it is
    about the exemptions from rules themselves.
    """

    title: str
    text: str
    severity: str = ERROR
    fleet: bool = False
    meta: bool = False

    @property
    def can_be_off(self) -> bool:
        """Whether ``rules`` in okgen.yaml may turn it off: warnings, and what only a fleet can see."""
        return not self.meta and (self.fleet or self.severity != ERROR)


# OKG1xx reading YAML · OKG2xx schema · OKG3xx cross-checks · OKG4xx add-ons · OKG5xx the tree · OKG6xx vendored files
CODES: dict[str, Code] = {
    "OKG101": Code(
        "not YAML",
        "The text breaks the rules of YAML. Reading stops there, so that more may come up once this is mended. The "
        "place is where the mistake seems to begin: a quote that is never closed rather than the end of the file.",
    ),
    "OKG102": Code("not UTF-8", "cluster.yaml is UTF-8 text, with or without a byte order mark."),
    "OKG103": Code(
        "control character",
        "The text holds a character that no reader of YAML should meet, one that ends a line for some and not for "
        "others, or one that turns the direction of text around, so that it looks like another text. In double quotes "
        "it can be written as an escape sequence.",
    ),
    "OKG104": Code("empty file", "There is nothing in the file, or only comments."),
    "OKG105": Code("several documents", "One file describes one cluster. A bare `---` before or after it is fine."),
    "OKG106": Code(
        "key twice",
        "A mapping has the same key twice. Readers of YAML take the last, the first, or none, so that one of the two "
        "values would be lost without a word.",
    ),
    "OKG107": Code(
        "key that is not a string",
        "Keys are strings. Without quotes `1`, `true` and `null` are a number, a boolean and null, as keys too.",
    ),
    "OKG108": Code(
        "value that needs quotes",
        "Without quotes, readers of YAML 1.1 and 1.2 take this for different things: `yes` is a boolean or a string, "
        "`012` is 10 or 12, `12:30` is 750 or a string. Quotes make it the string; the help line has it ready to copy.",
    ),
    "OKG109": Code(
        "number out of range",
        "JSON and Kubernetes know neither infinity nor not-a-number, and keep whole numbers up to 9223372036854775807. "
        "An identifier made of digits is a string and needs quotes.",
    ),
    "OKG110": Code(
        "tag",
        "okgen reads plain values. The tags of YAML's core schema, such as `!!str`, are taken where they fit; `!Ref`, "
        "`!!binary` or `!!python/object` are not.",
    ),
    "OKG111": Code("alias without a value", "`*name` stands for the value that `&name` marks earlier in the file."),
    "OKG112": Code("merge of no mapping", "`<<` takes over the keys of a mapping, or of each mapping in a list."),
    "OKG113": Code(
        "over a limit",
        "A file has at most 1 MiB, 100 levels of lists and mappings in one another, and 100,000 values, where an alias "
        "counts as many as what it stands for.",
    ),
    "OKG350": Code(
        "IAM beyond a limit of AWS",
        "What the file asks for needs more IAM than AWS takes: 6,144 characters a policy, 10 policies a role. okgen "
        "splits policies by statements, resources and actions; conditions cannot be split.",
    ),
    "OKG201": Code(
        "unknown key",
        "The file has a key that okgen does not know. Files are closed, so that a slip of the pen is not ignored.",
    ),
    "OKG202": Code("missing key", "A key that okgen cannot do without is not there. The place is that of its parent."),
    "OKG203": Code(
        "wrong type", "The value is of another type than the key takes: a number for a string, for example."
    ),
    "OKG204": Code("value not in the list", "The key takes one of a few values, and this is none of them."),
    "OKG205": Code("wrong form", "The text does not have the form the key asks for."),
    "OKG206": Code("out of bounds", "A number is too small or too large, or a text or list too short or too long."),
    "OKG207": Code("entry twice", "A list whose entries must differ holds one of them twice."),
    "OKG208": Code("not valid", "The value breaks another rule of the schema; the help line describes the key."),
    "OKG301": Code(
        "Kubernetes version newer than okgen",
        "okgen does not know this Kubernetes version yet. It renders as for the newest one it knows.",
        severity=WARNING,
    ),
    "OKG302": Code(
        "add-on does not run on this Kubernetes version",
        "Each version of an add-on has a range of Kubernetes versions, and the cluster's is outside. "
        "`okgen addons NAME` prints the ranges.",
    ),
    "OKG303": Code(
        "add-on not tested on this Kubernetes version",
        "The add-on's project does not test this version on the cluster's Kubernetes version. It may well work.",
        severity=WARNING,
    ),
    "OKG304": Code("unknown AWS region", "No partition of AWS has a region of this name."),
    "OKG305": Code(
        "OIDC issuer missing",
        "An add-on authenticates by an IAM role for its ServiceAccount (irsa), whose trust names the cluster's issuer.",
    ),
    "OKG306": Code("OIDC issuer of another region", "The issuer's host names another region than the cluster's."),
    "OKG307": Code(
        "permissions boundary from elsewhere",
        "The boundary's ARN names another partition or account than the cluster's, so no role could have it.",
    ),
    "OKG308": Code("zone twice", "Two entries of dns.zones are the same hosted zone."),
    "OKG309": Code(
        "zone inside another",
        "One zone's name ends with another's. Right when the inner one is delegated.",
        severity=WARNING,
    ),
    "OKG310": Code("output path", "gitops.path must be a plain path that stays inside the repository."),
    "OKG311": Code(
        "two add-ons claim the same",
        "Two add-ons serve the same ingress class, or their CRDs share a short name.",
        severity=EITHER,
    ),
    "OKG312": Code(
        "add-on in Argo CD's namespace",
        "A project that may deploy into Argo CD's namespace can make Applications there, so it is an administrator.",
    ),
    "OKG313": Code("request over limit", "A container requests more than its limit, so no pod could be made."),
    "OKG315": Code("toleration", "The API server would refuse the toleration: its fields do not go together."),
    "OKG314": Code("mirror without images", "No image of this cluster starts with the mirror's prefix."),
    "OKG320": Code("two files for one folder", "Two inputs of a run would be rendered into the same folder."),
    "OKG321": Code(
        "patch matches nothing",
        "No object of the add-on fits the patch's target. Kustomize would pass over it in silence.",
    ),
    "OKG322": Code("patch cannot be read", "The patch or its target is not what Kustomize understands."),
    "OKG323": Code(
        "patch file",
        "The file of a patch is missing, unreadable, outside the repository or behind a symbolic link.",
    ),
    "OKG330": Code(
        "two files for one EKS cluster",
        "Two files of a run name the same EKS cluster: account, region and aws.clusterName. Each would install its own "
        "Argo CD objects, roles and add-ons there, over those of the other.",
        fleet=True,
    ),
    "OKG331": Code(
        "two clusters own the same records",
        "Two clusters write to one hosted zone under the same owner id, so that each takes the other's DNS records for "
        "its own: they undo each other's changes, and delete what the other still needs.",
        fleet=True,
    ),
    "OKG332": Code(
        "IAM role made twice",
        "Two clusters in one AWS account would make a role of the same name. Names of roles start with metadata.name.",
        fleet=True,
    ),
    "OKG333": Code(
        "secrets within reach of two clusters",
        "Two clusters in one account and region may read the same secrets: their prefixes are equal, or one lies in "
        "the other. A warning between clusters of one profile, as sharing may be meant; an error between development "
        "and production.",
        severity=EITHER,
        fleet=True,
    ),
    "OKG334": Code(
        "zone described in two ways",
        "Two clusters name the same hosted zone by its id, and call it private here and public there, or give it two "
        "names: an error. Without ids, one name for a private and a public zone of an account may be right: a warning.",
        severity=EITHER,
        fleet=True,
    ),
    "OKG335": Code(
        "add-on older than in the rest of the fleet",
        "The cluster's version of the add-on is more than a minor version behind the one that half of the clusters "
        "with this add-on have reached.",
        severity=WARNING,
        fleet=True,
    ),
    "OKG336": Code(
        "production ahead of development",
        "Clusters of profile production run a version of an add-on that no cluster of profile development runs. Only "
        "said where the run has development clusters.",
        severity=WARNING,
        fleet=True,
    ),
    "OKG340": Code(
        "rule cannot be turned off",
        "`rules` in okgen.yaml names a code that okgen does not have, or one that is not a rule: what is wrong with a "
        "file stays wrong. Warnings can be turned off, and rules about the clusters of a run.",
        meta=True,
    ),
    "OKG341": Code(
        "exception has expired",
        "An entry under `rules` in okgen.yaml is past its date, so that the rule holds again. Mend what it hid, or "
        "decide anew and give a later date.",
        meta=True,
    ),
    "OKG342": Code(
        "exception without use",
        "An entry under `rules` in okgen.yaml hides nothing any more. Said when the run takes all of the repository.",
        severity=WARNING,
        meta=True,
    ),
    "OKG401": Code(
        "a need of an add-on is not met",
        "The add-on cannot work with what the file says: something it depends on is missing. The help line names it.",
    ),
    "OKG402": Code(
        "archived add-on",
        "The add-on's project is archived: no fixes come any more. Its page names the successor and the way there.",
        severity=WARNING,
    ),
    "OKG403": Code(
        "values contradict one another",
        "Each value is fine by itself, but they cannot both hold.",
    ),
    "OKG404": Code(
        "risky value",
        "The value is accepted, but has surprised others. The message says what can happen.",
        severity=WARNING,
    ),
    "OKG601": Code(
        "vendored file missing or altered",
        "With `gitops.crds: vendored` the tree refers to files which `okgen vendor` puts under `_vendor/`. One of them "
        "is not there, or is not what is pinned by its SHA-256. Run `okgen vendor` and commit what it fetches.",
    ),
    "OKG501": Code(
        "index damaged",
        "The file .okgen.json of a rendered tree, which lists okgen's files, cannot be read. Restore it from Git; or "
        "delete it and render again: files that hold what is to be written are taken over, others stop it.",
    ),
    "OKG502": Code(
        "index in merge conflict",
        "The file .okgen.json holds the marks of a merge conflict. Take either side of it, then render again, and it "
        "is put right. Files that a merge mixed are named as edited then; --force renders them.",
    ),
    "OKG503": Code("index of a newer okgen", "The tree was rendered by an okgen with another form of .okgen.json."),
    "OKG504": Code(
        "rendered file edited by hand",
        "A file that okgen wrote does not hold what okgen wrote. Nothing is written, for no cluster, so that no edit "
        "is lost. `okgen adopt FILE` keeps it as a patch in cluster.yaml; or undo it, or overwrite it with --force.",
    ),
    "OKG505": Code(
        "file in the way",
        "Where okgen is to write a file is one that it did not write. Move it away, or overwrite it with --force.",
    ),
    "OKG508": Code(
        "edit that cannot be adopted",
        "`okgen adopt` turns the edit of one rendered object of an add-on into a patch in cluster.yaml. This one "
        "cannot become a patch; the message says why. Nothing was changed.",
    ),
    "OKG506": Code(
        "symbolic link",
        "okgen follows no symbolic link at or below a cluster's folder, nor on the way there from the repository: it "
        "would write elsewhere than it says. --force does not change that.",
    ),
    "OKG507": Code(
        "not a file, or not a folder",
        "A folder is where a file has to be, or the other way round, or it is a pipe, socket or device. Move it away.",
    ),
}
