"""The inside of a pod, in namespaces of its own: lays out the pod's files, then becomes its program.

    python container.py SPEC        SPEC: a JSON file with argv, env, and files (path -> base64) by mount point

Standard library only, so that it starts at once. What a container adds besides (image, user, limits) is not here.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import sys
import time

PATIENCE = 30.0  # seconds
RUN = "/run"  # /var/run leads here; service accounts' tokens go below it


def mount_tmpfs(at: str) -> None:
    """An empty folder that only this pod sees."""
    os.makedirs(at, exist_ok=True)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", os.fsencode(at), b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "mount", at)


def wait_for_network() -> None:
    """The rig brings the pod's interface, with its routes, once this process has its network namespace."""
    end = time.monotonic() + PATIENCE
    while not _has_route():
        if time.monotonic() > end:
            raise TimeoutError("no network")
        time.sleep(0.02)


def _has_route() -> bool:
    with open("/proc/self/net/route", encoding="ascii") as file:
        return "eth0" in file.read()


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        spec = json.load(file)
    mount_tmpfs(RUN)
    for mount, files in spec["mounts"].items():
        mount_tmpfs(mount)
        for name, content in files.items():
            at = os.path.join(mount, name)
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, "wb") as out:
                out.write(base64.b64decode(content))
    wait_for_network()
    print("container.py starts", *spec["argv"], "as", spec["as"], flush=True)
    os.execvpe(spec["argv"][0], spec["argv"], spec["env"])  # noqa: S606 - the program is what a pod is


if __name__ == "__main__":
    main(sys.argv[1])
