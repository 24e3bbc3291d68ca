"""The rig itself: what is built on it would otherwise prove nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from e2e.rig import controlplane, waiting
from e2e.rig.process import ProcessError, Processes

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.rig.controlplane import Cluster
    from e2e.rig.isolation import Isolation


def test_nothing_leaves_the_machine(isolated: Isolation) -> None:
    """An address outside cannot be reached from inside, and a name leads only where it is told to."""
    with socket.socket() as outside:
        outside.settimeout(5)
        with pytest.raises(OSError, match="Network is unreachable"):
            outside.connect(("192.0.2.1", 443))
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("rig.example.com", 443)
    isolated.hosts({"rig.example.com": "127.0.0.9"})
    assert socket.getaddrinfo("rig.example.com", 443)[0][4][0] == "127.0.0.9"


def test_a_program_dies_with_its_starter(processes: Processes, tmp_path: Path) -> None:
    """However a run ends, none of its programs goes on."""
    script = (
        "import sys, pathlib; from e2e.rig.process import Processes\n"
        "started = Processes(pathlib.Path(sys.argv[1])).start('sleeper', ['sleep', '600'])\n"
        "print(started.running.pid, flush=True)\n"
        "input()"
    )
    call = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)]
    path = os.pathsep.join(sys.path)
    with subprocess.Popen(
        call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    ) as starter:
        assert starter.stdout
        sleeper = int(starter.stdout.readline())
        waiting.until("it runs", lambda: _command(sleeper) == "sleep", within=10)
        starter.send_signal(signal.SIGKILL)
    waiting.until("the program has gone", lambda: not _lives(sleeper), within=10)
    assert not processes.ended()


def _command(pid: int) -> str:
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_program_that_fails_says_why(tmp_path: Path) -> None:
    """The error of a program that ends before it is ready has the last lines of its log."""
    programs = Processes(tmp_path)
    with pytest.raises(ProcessError, match="ended with 3:\nno such luck"):
        programs.start("broken", ["sh", "-c", "echo no such luck; exit 3"], ready=lambda: False)
    assert not programs.all


def test_ctrl_c_reaches_no_program(tmp_path: Path) -> None:
    """A terminal sends Ctrl-C to pytest's process group, where no program is: pytest ends them, in their order."""
    programs = Processes(tmp_path)
    sleeper = programs.start("sleeper", ["sleep", "600"])
    assert os.getpgid(sleeper.running.pid) != os.getpgid(0)
    programs.close()


def test_programs_are_ended_together(tmp_path: Path) -> None:
    """Each of two is asked to end before the other has ended."""
    programs = Processes(tmp_path)
    started = []
    for own, other in (("one", "two"), ("two", "one")):
        asked = f"touch {own}.asked; until [ -e {other}.asked ]; do sleep 0.05; done; exit 0"
        script = f"cd '{tmp_path}'; trap '{asked}' TERM; touch {own}.ready; while :; do sleep 0.05; done"
        ready = (tmp_path / f"{own}.ready").exists
        started.append(programs.start(own, ["sh", "-c", script], ready=ready))
    programs.stop("one", "two")
    assert [each.running.returncode for each in started] == [0, 0]


def test_the_control_plane_is_the_version_it_says(cluster: Cluster) -> None:
    """Kubernetes answers with the version that docs/proof.md names."""
    assert cluster.version == controlplane.VERSION


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    """A small Deployment of two pods."""
    labels = {"app": name}
    container = {"name": "main", "image": "example.com/none:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **spec}},
        },
    }


def test_deployments_become_available(cluster: Cluster) -> None:
    """Deployments become Available when their pods can be placed, and only then; a deleted one takes its pods along."""
    good, bad = deployment("good"), deployment("bad", nodeSelector={"no": "where"})
    cluster.kubectl.apply([good, bad])
    kubectl = cluster.kubectl
    kubectl.until("two pods", "deployment/good", "default", lambda found: found["status"].get("availableReplicas") == 2)
    time.sleep(1)  # as long as the good one took, and more
    pods = cluster.kubectl.list("pods", "default", "app=bad")
    assert [pod["status"]["phase"] for pod in pods] == ["Pending", "Pending"]
    cluster.kubectl.delete([good, bad])
    waiting.until("no pods", lambda: not cluster.kubectl.list("pods", "default"))
