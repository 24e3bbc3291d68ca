"""Moves this process into namespaces of its own: nothing leaves the machine, and nothing is left behind.

Those of the network and of mounts; children inherit them. The network has only loopback; names lead there by an
/etc/hosts that no other process sees. Runs side by side do not meet, and the kernel takes everything away with the last
process.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# <sched.h>, <sys/mount.h>, <net/if.h> and <linux/sockios.h>; Python has names for these from 3.12 on, or none.
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x0002_0000, 0x1000_0000, 0x4000_0000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x4_0000
IFF_UP = 0x1
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C
HOSTS = "/etc/hosts"


class NotPossibleError(Exception):
    """Says which step the kernel refused."""


class Isolation:
    """The namespaces this process is in."""

    def __init__(self, hosts: Path) -> None:
        self._file = hosts
        self._names = {"localhost": "127.0.0.1", "kubernetes.default.svc": "127.0.0.1"}
        self._networks: set[str] = set()
        self._write()

    def hosts(self, names: Mapping[str, str]) -> None:
        """Lets names lead to addresses, from now on, for every process of this run."""
        self._names.update(names)
        self._write()

    def _write(self) -> None:
        # In place: the file is mounted, and another one of its name would not be.
        self._file.write_text("".join(f"{address} {name}\n" for name, address in self._names.items()), encoding="ascii")

    def network(self, prefix: str) -> None:
        """Makes every address of an IPv4 network, such as 10.42.0.0/16, one of this machine's own."""
        if prefix in self._networks:
            return
        self._networks.add(prefix)
        net = ipaddress.IPv4Network(prefix)
        label = f"lo:{len(self._networks)}"
        _interface(SIOCSIFADDR, label, _address(net.network_address + (net.num_addresses > 1)))
        _interface(SIOCSIFNETMASK, label, _address(net.netmask))


def enter(folder: Path) -> Isolation:
    """Leaves the machine's network for ever; ``folder`` takes the hosts file.

    Needs root, or a kernel that lets users have user namespaces. Raises NotPossibleError.
    """
    if sys.platform != "linux":
        raise NotPossibleError("only Linux has namespaces")
    hosts = folder / "hosts"
    hosts.touch()
    try:
        _leave()
        _mount(None, b"/", MS_REC | MS_PRIVATE)
        _mount(os.fsencode(hosts), HOSTS.encode(), MS_BIND)
        _interface(SIOCSIFFLAGS, "lo", struct.pack("h", IFF_UP))
    except OSError as problem:
        raise NotPossibleError(f"no namespaces of our own: {problem.strerror}: {problem.filename}") from problem
    return Isolation(hosts)


def _leave() -> None:
    """Takes new namespaces, as root or else as a user who is root in a user namespace."""
    user, group = os.geteuid(), os.getegid()
    try:
        _call("unshare", CLONE_NEWNET | CLONE_NEWNS)
    except PermissionError:
        _call("unshare", CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUSER)
    else:
        return
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def _mount(source: bytes | None, target: bytes, flags: int) -> None:
    _call("mount", source, target, None, ctypes.c_ulong(flags), None)


def _call(name: str, *arguments: int | bytes | ctypes.c_ulong | None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)


def _interface(request: int, label: str, value: bytes) -> None:
    """One setting of an interface: a struct ifreq is 16 bytes of name and 24 of value."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, request, struct.pack("16s24s", label.encode(), value))


def _address(address: ipaddress.IPv4Address) -> bytes:
    """A struct sockaddr_in without a port."""
    return struct.pack("HH4s", socket.AF_INET, 0, address.packed)
