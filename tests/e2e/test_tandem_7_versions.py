"""From ExternalDNS 0.21.0 to 0.22.0 in place, as docs/external-dns-upgrade.md says, without losing a record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from e2e.rig import waiting
from e2e.rig.shop import ZONE, ingress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.rig.scene import Scene

OLD, NEW = "0.21.0", "0.22.0"
ALPHA = "external-dns.alpha.kubernetes.io/"
HOST, EXTRA = f"older.{ZONE}", f"extra.{ZONE}"
Records = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def before(scene: Scene) -> Iterator[Records]:
    """0.21.0 has made records: for the host of an Ingress, and for one that only its annotation names."""
    run(scene, version=OLD)
    older = ingress("older", HOST)
    older["metadata"]["annotations"][f"{ALPHA}hostname"] = EXTRA
    scene.cluster.kubectl.apply([older])
    waiting.until("both records", lambda: all(scene.leads(host) for host in (HOST, EXTRA)), within=60)
    yield of_ingresses(scene)
    scene.cluster.kubectl("delete", "ingress/older", "--namespace=shop")
    run(scene, policy="sync")
    waiting.until("no record of them", lambda: not any(scene.leads(host) for host in (HOST, EXTRA)), within=60)
    scene.render()
    scene.change("external-dns")


def run(scene: Scene, **values: Any) -> None:
    """What a user does who changes keys of external-dns: render, stack, push, and it runs."""
    scene.render(addons={"external-dns": values})
    scene.change("external-dns")


def of_ingresses(scene: Scene) -> Records:
    """The records of hosts that some Ingress has; other tests leave records of Ingresses that are gone."""
    hosts = (HOST, EXTRA, f"www.{ZONE}")
    own = {ZONE, *(f"_externaldns-{kind}.{ZONE}" for kind in ("a", "aaaa", "cname"))}
    return {key: each for key, each in scene.records().items() if key[0].endswith(hosts) or key[0] in own}


def lost(scene: Scene, before: Records) -> Records:
    """Records that were there and are not, or lead elsewhere."""
    now = of_ingresses(scene)
    return {key: each for key, each in before.items() if now.get(key) != each}


def test_the_old_version_made_the_records(scene: Scene, before: Records) -> None:
    """It is 0.21.0 that runs first: the ownership record of its aliases is named `cname`."""
    assert (f"_externaldns-cname.{HOST}", "TXT") in before
    assert (f"_externaldns-a.{HOST}", "TXT") not in before
    assert {scene.leads(host) for host in (HOST, EXTRA)} == {scene.address("older")}


def test_a_dry_run_of_the_new_one_wants_to_delete_nothing(scene: Scene, before: Records) -> None:
    """With `dryRun` the log asks for UPSERT of aliases and of ownership records only, and nothing changes."""
    run(scene, version=NEW, annotationPrefix=ALPHA, dryRun=True)

    pod = scene.pods.running["external-dns.external-dns"]
    pod.says("Desired change: ")

    wanted = [json.loads(line)["msg"] for line in pod.log().splitlines() if "Desired change: " in line]
    assert [each for each in wanted if "DELETE" in each] == []
    creations = [each for each in wanted if "CREATE" in each and " TXT" not in each]
    assert creations == []
    assert of_ingresses(scene) == before


def test_the_new_version_keeps_every_record(scene: Scene, before: Records) -> None:
    """0.22.0 takes all of them over, adds ownership records named `a`, and reads the old annotations as before."""
    run(scene, version=NEW, annotationPrefix=ALPHA)

    wanted = {(f"_externaldns-a.{host}", "TXT") for host in (HOST, EXTRA)}
    waiting.until("new ownership records", lambda: wanted <= scene.records().keys(), within=60)
    assert lost(scene, before) == {}


def test_sync_deletes_none_of_them_afterwards(scene: Scene, before: Records) -> None:
    """With `policy: sync` again, the last step, every alias stays."""
    run(scene, version=NEW, annotationPrefix=ALPHA, policy="sync")
    scene.rounds(3)

    assert {key: each for key, each in lost(scene, before).items() if key[1] != "TXT"} == {}


def test_going_back_loses_nothing(scene: Scene, before: Records) -> None:
    """0.21.0 once more, with the default policy: what both have made stays."""
    now = of_ingresses(scene)
    run(scene, version=OLD)
    scene.rounds(3)

    assert lost(scene, before) == {}
    assert lost(scene, {key: each for key, each in now.items() if key[1] != "TXT"}) == {}
