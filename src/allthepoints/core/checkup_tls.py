"""How the doctor judges TLS: whose certificate it is, who vouches for it, until when. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from allthepoints.core.checkup import Finding, day, fault, ok, span, warning
from allthepoints.core.checkup_net import Place, Why

ENDS_SOON = 3 * 86_400.0
"""Seconds. Certificates are renewed weeks before their end; one that was not is somebody's mistake."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's own. `issuer`: who vouches for it. `ends`: epoch seconds."""

    subject: str
    issuer: str
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """A handshake. `failed`: why there was none; `code`: OpenSSL's number of what is wrong with the certificate."""

    certificate: Certificate | None = None
    version: str = ""
    failed: str = ""
    code: int = 0
    why: Why | None = None


_NOT_YET, _EXPIRED = 9, 10
_ANOTHERS = frozenset({62, 64})
"""Of another name, or another address."""
_UNTRUSTED = frozenset({18, 19, 20, 21})
"""X509_V_ERR_*: self-signed, or issued by somebody unknown here."""


def tls(place: Place, seen: Tls, now: float) -> Finding:
    """Whether the other side proves who it is, and who vouches for it."""
    name = f"{place.name}.tls"
    if not place.tls:
        return ok(name, "There is none, and none is needed: it is this machine itself.")
    shown = _certificate(seen.certificate)
    if seen.code in _UNTRUSTED:
        return fault(
            name,
            f"The certificate is not trusted here. {shown}".strip(),
            "If that issuer is your company's or your antivirus program's, it reads along: have its certificate added "
            "to this system's, or name its file in SSL_CERT_FILE. If you do not know it, do not go on in this network.",
        )
    if seen.code in {_EXPIRED, _NOT_YET}:
        what = "has ended" if seen.code == _EXPIRED else "is not good yet"
        return fault(
            name,
            f"The certificate {what}, by the clock of this machine. {shown}".strip(),
            f"See that the clock of this machine is right (it says {day(now)}, UTC). If it is, the server is at fault.",
        )
    if seen.code in _ANOTHERS:
        return fault(
            name,
            f"The certificate is for another name than {place.host}. {shown}".strip(),
            "Look what answers in its place: a login page of this Wi-Fi, a filter, or a wrong address in [endpoints].",
        )
    if seen.failed:
        late = seen.why is Why.LATE
        text = "TLS got no answer in time." if late else f"TLS failed: {seen.failed}."
        cure = "Look for what lets connections in and nothing through: a firewall, a filter, a login page."
        return fault(name, f"{text} {shown}".strip(), cure)
    ends = None if seen.certificate is None else seen.certificate.ends
    if ends is not None and ends - now < ENDS_SOON:
        text = f"{seen.version}. {shown} It ends in {span(ends - now)}."
        return warning(name, text, "It is the server's to renew it. If it is yours (a relay, a proxy), do so.")
    return ok(name, f"{seen.version}. {shown}".strip())


def _certificate(seen: Certificate | None) -> str:
    if seen is None:
        return ""
    until = "" if seen.ends is None else f", good until {day(seen.ends)}"
    return f"Certificate of {seen.subject}, issued by {seen.issuer}{until}."
