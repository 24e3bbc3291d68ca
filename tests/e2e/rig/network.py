"""A network of its own for each pod, joined to the run's by a cable: ports of pods do not clash, as in a cluster.

What a pod sends goes to the run's network, where AWS and the API server listen; the pod answers at its addresses.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from e2e.rig import waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

GATEWAY = "198.18.0.1"  # of the network for tests of network devices (RFC 2544): nobody's real address


def connect(pid: int, addresses: Sequence[str]) -> None:
    """Joins the network namespace that process ``pid`` has made for itself, and gives it these addresses.

    Raises AssertionError if the process does not make one, CalledProcessError if the kernel has no veth.
    """
    ours = os.readlink("/proc/self/ns/net")
    waiting.until("a network namespace of the pod's own", lambda: _namespace(pid) not in ("", ours), within=30)
    outside = f"pod{pid}"
    inside = ["nsenter", f"--target={pid}", "--net", "--", "ip"]
    # The name eth0 appears only once all is set: it is what the pod waits for.
    _run("ip", "link", "add", outside, "type", "veth", "peer", "name", "new", "netns", str(pid))
    _run("ip", "link", "set", outside, "up")
    for address in addresses:
        # In the table that is asked first, where all addresses of the pods' network are this machine's own.
        _run("ip", "route", "replace", f"{address}/32", "dev", outside, "src", GATEWAY, "table", "local")
        _run(*inside, "address", "add", f"{address}/32", "dev", "new")
    _run(*inside, "link", "set", "lo", "up")
    _run(*inside, "link", "set", "new", "name", "eth0", "up")
    _run(*inside, "route", "add", "default", "dev", "eth0", "src", addresses[0])


def _namespace(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return ""


def _run(*call: str) -> None:
    subprocess.run(call, check=True, capture_output=True, text=True)
