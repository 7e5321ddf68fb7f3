"""IRC daemons that nobody here wrote: ngircd (untagged) and InspIRCd (tagged, colon forms), from Debian, with TLS.

Where one is missing its tests are skipped with a reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from allthepoints.base.clock import SystemClock

CLOCK = SystemClock()

START_WITHIN = 30.0

NGIRCD = """
[Global]
Name = irc.example.net
Info = test
Listen = 127.0.0.1
Ports = {plain}
Password = {password}
MotdPhrase = hello
[Limits]
MaxJoins = 0
MaxConnections = 0
MaxConnectionsIP = 0
MaxPenaltyTime = 0
MaxNickLength = 31
PingTimeout = {ping}
PongTimeout = 20
[Options]
DNS = no
Ident = no
PAM = no
NoticeBeforeRegistration = no
[SSL]
CertFile = {folder}/cert.pem
KeyFile = {folder}/key.pem
Ports = {port}
"""

INSPIRCD = """
<server name="irc.example.net" description="test" network="test" id="00A">
<admin name="test" nick="test" email="test@example.net">
<module name="ssl_gnutls">
<module name="cap">
<module name="ircv3">
<module name="ircv3_ctctags">
<module name="ircv3_servertime">
<sslprofile name="tls" provider="gnutls" certfile="{folder}/cert.pem" keyfile="{folder}/key.pem">
<bind address="127.0.0.1" port="{port}" type="clients" sslprofile="tls">
<connect name="all" allow="*" password="{password}" recvq="1M" softsendq="10M" hardsendq="50M" threshold="100000"
 commandrate="1000000" fakelag="no" resolvehostnames="no" maxchans="10000" localmax="1000" globalmax="1000"
 timeout="30" pingfreq="{ping}" useident="no">
<channels users="10000" opers="10000">
<options nopartpmsg="no">
<performance softlimit="100">
<pid file="{folder}/pid">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="{folder}/log">
"""


@dataclass(frozen=True)
class Daemon:
    """How to run one, and what to ask of it."""

    name: str
    config: str
    arguments: Callable[[Path], list[str]]
    caps: tuple[str, ...]
    tagged: bool


DAEMONS = (
    Daemon("ngircd", NGIRCD, lambda file: ["-n", "-f", str(file)], ("twitch.tv/tags", "twitch.tv/commands"), False),
    Daemon(
        "inspircd",
        INSPIRCD,
        lambda file: ["--nofork", "--nolog", "--runasroot", "--config", str(file)],
        ("message-tags", "server-time"),
        True,
    ),
)


def installed(daemon: Daemon) -> Daemon:
    """The daemon, if it is there; else the test is skipped."""
    if _binary(daemon.name) is None:
        pytest.skip(f"{daemon.name} is not installed (Debian package {daemon.name})")
    return daemon


class DaemonServer:
    """A daemon on a free port of loopback, that can be killed and started again. `ping` in seconds."""

    def __init__(self, daemon: Daemon, folder: Path, password: str, ping: int = 60) -> None:
        self.daemon = daemon
        self.port = _free_port()
        self.process: asyncio.subprocess.Process | None = None
        authority = trustme.CA()
        self.context = ssl.create_default_context()
        authority.configure_trust(self.context)
        self._config = folder / "daemon.conf"
        self._write(folder, authority, password, ping)

    async def start(self) -> None:
        binary = _binary(self.daemon.name)
        assert binary is not None
        null = asyncio.subprocess.DEVNULL
        self.process = await asyncio.create_subprocess_exec(
            binary, *self.daemon.arguments(self._config), stdin=null, stdout=null, stderr=null
        )
        async with asyncio.timeout(START_WITHIN):
            while True:
                assert self.process.returncode is None, "the daemon did not start"
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    await writer.wait_closed()
                    return
                await CLOCK.sleep(0.05)

    async def kill(self) -> None:
        """End it by its own id."""
        if self.process is not None:
            if self.process.returncode is None:
                self.process.kill()
            await self.process.wait()

    def _write(self, folder: Path, authority: trustme.CA, password: str, ping: int) -> None:
        """The daemon's files, readable for whoever it becomes when root starts it."""
        self._config.write_text(
            self.daemon.config.format(port=self.port, plain=_free_port(), folder=folder, password=password, ping=ping)
        )
        cert = authority.issue_cert("127.0.0.1")
        cert.private_key_pem.write_to_path(folder / "key.pem")
        for blob in cert.cert_chain_pems:
            blob.write_to_path(folder / "cert.pem", append=True)
        folder.chmod(0o755)
        for file in folder.iterdir():
            file.chmod(0o644)


def _binary(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])
