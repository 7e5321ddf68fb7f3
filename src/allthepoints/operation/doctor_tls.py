"""What the doctor measures of TLS: whose certificate the other side shows.

It is verified as the program verifies it elsewhere. Of a certificate that is not trusted only the names are read, for a
company's proxy in the middle is known by its issuer; nothing is sent over such a connection.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from allthepoints.core.checkup_net import Why
from allthepoints.core.checkup_tls import Certificate, Tls
from allthepoints.views.text import clean

LONGEST = 80
"""Characters of what others wrote that are kept."""


async def shake_hands(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str, within: float
) -> Tls:
    """The handshake, and whose certificate was shown. Raises nothing."""
    try:
        async with asyncio.timeout(within):
            return await _handshake(reader, writer, context, host)
    except TimeoutError:
        return Tls(failed="no answer in time", why=Why.LATE)
    except OSError as error:  # one of TLS is one too, but for those that were understood
        return Tls(failed=_tls_words(error), why=Why.CLOSED if isinstance(error, ConnectionError) else Why.OTHER)


async def _handshake(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: ssl.SSLContext, host: str
) -> Tls:
    """Over memory, so that the certificate can be looked at also where it is not trusted."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            writer.write(outgoing.read())
            await writer.drain()
        except ssl.SSLCertVerificationError as error:
            code, words = getattr(error, "verify_code", 0), getattr(error, "verify_message", "")
            return Tls(_presented(tls), failed=words or "the certificate was not accepted", code=code)
        else:
            return Tls(certificate(tls.getpeercert() or {}), (tls.version() or "TLS").replace("TLSv", "TLS "))
        data = await reader.read(65_536)
        if not data:
            return Tls(failed="the other side closed the connection", why=Why.CLOSED)
        incoming.write(data)


def _presented(tls: ssl.SSLObject) -> Certificate | None:
    """What an untrusted server showed. Python tells it by no public name; where it does not, there is none to show."""
    with suppress(Exception):
        inner: Any = getattr(tls, "_sslobj")  # noqa: B009
        return certificate(inner.get_unverified_chain()[0].get_info())
    return None


def certificate(told: Mapping[str, Any]) -> Certificate | None:
    """From the dictionary of `getpeercert`."""
    if not told:
        return None
    subject, issuer = _fields(told.get("subject", ())), _fields(told.get("issuer", ()))
    other = next((value for kind, value in told.get("subjectAltName", ()) if kind == "DNS"), "")
    ends = None
    with suppress(KeyError, ValueError):
        ends = float(ssl.cert_time_to_seconds(told["notAfter"]))
    name = subject.get("commonName") or other or subject.get("organizationName") or "?"
    return Certificate(name, _issuer(issuer), ends)


def _issuer(fields: Mapping[str, str]) -> str:
    company, name = fields.get("organizationName", ""), fields.get("commonName", "")
    return f"{company} ({name})" if company and name and name != company else company or name or "?"


def _fields(name: Any) -> dict[str, str]:
    return {key: clean(value)[:LONGEST] for part in name for key, value in part}


def _tls_words(error: OSError) -> str:
    words = getattr(error, "reason", None) or error.strerror or type(error).__name__
    return clean(str(words)).replace("_", " ").lower()[:LONGEST]
