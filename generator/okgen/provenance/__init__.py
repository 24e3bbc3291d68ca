"""Where every value of a rendered tree comes from, worked out when it is asked for; a plain render knows nothing of it.

    provenance = Provenance(rendered.document, rendered.cluster, rendered.files)
    provenance.causes("addons/NAME/deployment-NAME.yaml", ("spec", "replicas"))  # chains, as a tree
    provenance.ends("addons/NAME/deployment-NAME.yaml", ("spec", "replicas"))  # only where they end
    provenance.reached(("addons", "NAME", "policy"))  # the other way round: fields by file
    provenance.reaches(("addons", "NAME", "policy"), "addons/NAME/deployment-NAME.yaml", ("spec",))  # for one, a bool

A file is named by its path below the cluster's folder, as in ``pipeline.Rendered.files``, and ``.okgen.json``; a field
by its path in the file's data, ``()`` for all of it; lines of README.md are its items, from 0. A field that is a
mapping or a list has the causes of all that is in it. The causes of one add-on are worked out together when one of its
files is first asked for (some 50 ms); what okgen's own code writes takes a render for each value of cluster.yaml (some
3 ms each), once for all files.

To name what changed a field, ask the tree that has it, the new one for what was added and the old one for what is gone,
whether it ``reaches`` from each path of cluster.yaml that differs between the two documents: that is cheap, also for
what okgen's own code writes.
"""

from okgen.provenance.cause import ABSENT, DEFAULT, DERIVED, GIVEN, OKGEN, PATCH, RELEASE, TEMPLATE, Cause, ends
from okgen.provenance.tree import Provenance

__all__ = [
    "ABSENT",
    "DEFAULT",
    "DERIVED",
    "GIVEN",
    "OKGEN",
    "PATCH",
    "RELEASE",
    "TEMPLATE",
    "Cause",
    "Provenance",
    "ends",
]
