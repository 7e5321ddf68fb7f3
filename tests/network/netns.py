"""Two machines in this one: network namespaces with a wire between them, and things that happen to the wire.

    with wired() as wire:
        with wire.server.inside(): ...   # sockets and processes that begin here are on the server's machine
        with wire.client.inside(): ...
        wire.drop(port, "up")            # nothing from the client reaches the server's port any more; nobody is told
        wire.heal()

Both ends have addresses of loopback (the server 127.0.0.1, the client 127.0.0.2) on a real pair of interfaces, since
this program speaks without TLS to 127.0.0.0/8 alone. So what a test sees is the kernel's own TCP over a wire that
loses packets: retransmissions, resets, half-open sockets.

The namespaces have no names: they are gone with the last process and file that holds them, whatever happens to the
test. All this needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN) and Debian's iproute2 and iptables.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

_NEW_NET = 0x40000000
_HERE = "/proc/thread-self/ns/net"
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

FULL_PACKET = 1600
"""Bytes of what passes at once on a slow wire: one packet (an MTU of 1500, and Ethernet's header), hardly more. A
sign-in and the answers to twenty JOINs are some kilobytes: a burst as large would let them through at full speed."""

Direction = str
"""up: from the client to the server; down: back."""


@dataclass(frozen=True)
class Namespace:
    """A machine's network. `handle` holds it."""

    handle: int

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """What this thread begins in the block is in there."""
        before = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(self.handle)
            yield
        finally:
            _enter(before)
            os.close(before)

    def run(self, *command: str) -> str:
        """Run a command in there; what it said. Raises OSError with its complaint."""
        with self.inside():
            return _run(*command)


@dataclass(frozen=True)
class Wire:
    """The two, and what happens between them."""

    client: Namespace
    server: Namespace

    def drop(self, port: int, *ways: Direction, share: float = 1.0) -> None:
        """Lose the packets of this port that arrive at the other end; `share`: of all, by chance."""
        chance = () if share >= 1 else ("-m", "statistic", "--mode", "random", "--probability", f"{share}")
        for way in ways:
            self._rule(way, port, *chance, "-j", "DROP")

    def reset(self, port: int, way: Direction) -> None:
        """Answer the packets that arrive by this way with an RST to whoever sent them; the other end sees nothing."""
        self._rule(way, port, "-j", "REJECT", "--reject-with", "tcp-reset")

    def slow(self, kilobits: int) -> None:
        """What the server sends passes at so many kbit/s (a queue of half a second, then loss)."""
        rate = ("rate", f"{kilobits}kbit", "burst", f"{FULL_PACKET}", "latency", "500ms")
        self.server.run("tc", "qdisc", "replace", "dev", "atp1", "root", "tbf", *rate)

    def held_back(self) -> int:
        """How often a packet had to wait since the wire was made slow. 0: the limit has limited nothing."""
        told = json.loads(self.server.run("tc", "-s", "-j", "qdisc", "show", "dev", "atp1", "root"))
        return int(told[0]["overlimits"])

    def heal(self) -> None:
        """As at the beginning."""
        for end in (self.client, self.server):
            end.run("iptables", "-w", "-F")
        with contextlib.suppress(OSError):
            self.server.run("tc", "qdisc", "del", "dev", "atp1", "root")

    def _rule(self, way: Direction, port: int, *what: str) -> None:
        there, device, side = (self.server, "atp1", "--dport") if way == "up" else (self.client, "atp0", "--sport")
        there.run("iptables", "-w", "-A", "INPUT", "-i", device, "-p", "tcp", side, str(port), *what)


@contextlib.contextmanager
def wired() -> Iterator[Wire]:
    """Two fresh ones. Where they cannot be, the test is skipped with the reason."""
    if reason := missing():
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        client, server = (_fresh(stack) for _ in range(2))
        _connect(client, server)
        yield Wire(client, server)


@cache
def missing() -> str:
    """Why there can be none here; "" if there can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    absent = [tool for tool in ("ip", "iptables", "tc") if shutil.which(tool, path=_PATH) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian packages iproute2 and iptables)"
    try:
        with contextlib.ExitStack() as stack:
            client, server = (_fresh(stack) for _ in range(2))
            _connect(client, server)
            wire = Wire(client, server)
            wire.drop(1, "up", share=0.5)
            wire.reset(1, "down")
            wire.slow(1000)
    except OSError as error:
        return f"no network namespaces here (they need root, veth, iptables, tbf): {error}"
    return ""


def _fresh(stack: contextlib.ExitStack) -> Namespace:
    before = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc().unshare(_NEW_NET) != 0:
            raise OSError(ctypes.get_errno(), f"unshare: {os.strerror(ctypes.get_errno())}")
        handle = os.open(_HERE, os.O_RDONLY | os.O_CLOEXEC)
        _enter(before)
    finally:
        os.close(before)
    stack.callback(os.close, handle)
    return Namespace(handle)


def _connect(client: Namespace, server: Namespace) -> None:
    client.run("ip", "link", "add", "atp0", "type", "veth", "peer", "name", "atp1")
    client.run("ip", "link", "set", "atp1", "netns", f"/proc/{os.getpid()}/fd/{server.handle}")
    for end, device, address in ((client, "atp0", "127.0.0.2/8"), (server, "atp1", "127.0.0.1/8")):
        end.run("ip", "link", "set", "lo", "up")
        end.run("ip", "addr", "del", "127.0.0.1/8", "dev", "lo")
        with end.inside():
            for where in ("all", device):
                Path(f"/proc/sys/net/ipv4/conf/{where}/route_localnet").write_text("1")
        end.run("ip", "addr", "add", address, "dev", device)
        end.run("ip", "link", "set", device, "up")


def _enter(handle: int) -> None:
    if _libc().setns(handle, _NEW_NET) != 0:
        raise OSError(ctypes.get_errno(), f"setns: {os.strerror(ctypes.get_errno())}")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PATH": _PATH})
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
