"""What the doctor says of TLS: what is seen, and the whole verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_findings import FAULT, NOW, OK, WARNING, check

from allthepoints.core.checkup import Grade
from allthepoints.core.checkup_net import Place, Why
from allthepoints.core.checkup_tls import ENDS_SOON, Certificate, Tls, tls

CHAT = Place("chat", "irc.example", 6697)
SEEN = Certificate("*.example", "Trusty (CA 1)", NOW + 40 * 86_400)


@pytest.mark.parametrize(
    ("seen", "grade", "text", "cure"),
    [
        (
            Tls(SEEN, "TLS 1.3"),
            OK,
            "TLS 1.3. Certificate of *.example, issued by Trusty (CA 1), good until 2027-01-04.",
            "",
        ),
        (
            Tls(Certificate("*.example", "Trusty (CA 1)"), "TLS 1.3"),
            OK,
            "TLS 1.3. Certificate of *.example, issued by Trusty (CA 1).",
            "",
        ),
        (Tls(None, "TLS 1.3"), OK, "TLS 1.3.", ""),
        (
            Tls(replace(SEEN, ends=NOW + ENDS_SOON), "TLS 1.3"),
            OK,
            "TLS 1.3. Certificate of *.example, issued by Trusty (CA 1), good until 2026-11-28.",
            "",
        ),
        (
            Tls(replace(SEEN, ends=NOW + ENDS_SOON - 1), "TLS 1.3"),
            WARNING,
            "TLS 1.3. Certificate of *.example, issued by Trusty (CA 1), good until 2026-11-28. It ends in 2 days.",
            "It is the server's to renew it. If it is yours (a relay, a proxy), do so.",
        ),
        (
            Tls(SEEN, failed="self-signed", code=18),
            FAULT,
            (
                "The certificate is not trusted here. Certificate of *.example, issued by Trusty (CA 1), good until "
                "2027-01-04."
            ),
            (
                "If that issuer is your company's or your antivirus program's, it reads along: have its certificate "
                "added to this system's, or name its file in SSL_CERT_FILE. If you do not know it, do not go on in "
                "this network."
            ),
        ),
        (
            Tls(SEEN, failed="self-signed", code=19),
            FAULT,
            (
                "The certificate is not trusted here. Certificate of *.example, issued by Trusty (CA 1), good until "
                "2027-01-04."
            ),
            (
                "If that issuer is your company's or your antivirus program's, it reads along: have its certificate "
                "added to this system's, or name its file in SSL_CERT_FILE. If you do not know it, do not go on in "
                "this network."
            ),
        ),
        (
            Tls(replace(SEEN, issuer="Firm Inspector"), failed="x", code=20),
            FAULT,
            (
                "The certificate is not trusted here. Certificate of *.example, issued by Firm Inspector, good until "
                "2027-01-04."
            ),
            (
                "If that issuer is your company's or your antivirus program's, it reads along: have its certificate "
                "added to this system's, or name its file in SSL_CERT_FILE. If you do not know it, do not go on in "
                "this network."
            ),
        ),
        (
            Tls(None, failed="x", code=21),
            FAULT,
            "The certificate is not trusted here.",
            (
                "If that issuer is your company's or your antivirus program's, it reads along: have its certificate "
                "added to this system's, or name its file in SSL_CERT_FILE. If you do not know it, do not go on in "
                "this network."
            ),
        ),
        (
            Tls(SEEN, failed="expired", code=10),
            FAULT,
            (
                "The certificate has ended, by the clock of this machine. Certificate of *.example, issued by Trusty "
                "(CA 1), good until 2027-01-04."
            ),
            "See that the clock of this machine is right (it says 2026-11-25, UTC). If it is, the server is at fault.",
        ),
        (
            Tls(None, failed="not yet", code=9),
            FAULT,
            "The certificate is not good yet, by the clock of this machine.",
            "See that the clock of this machine is right (it says 2026-11-25, UTC). If it is, the server is at fault.",
        ),
        (
            Tls(SEEN, failed="name", code=62),
            FAULT,
            (
                "The certificate is for another name than irc.example. Certificate of *.example, issued by Trusty (CA "
                "1), good until 2027-01-04."
            ),
            "Look what answers in its place: a login page of this Wi-Fi, a filter, or a wrong address in [endpoints].",
        ),
        (
            Tls(None, failed="IP address mismatch", code=64),
            FAULT,
            "The certificate is for another name than irc.example.",
            "Look what answers in its place: a login page of this Wi-Fi, a filter, or a wrong address in [endpoints].",
        ),
        (
            Tls(failed="wrong version number"),
            FAULT,
            "TLS failed: wrong version number.",
            "Look for what lets connections in and nothing through: a firewall, a filter, a login page.",
        ),
        (
            Tls(SEEN, failed="revoked", code=23, why=Why.OTHER),
            FAULT,
            "TLS failed: revoked. Certificate of *.example, issued by Trusty (CA 1), good until 2027-01-04.",
            "Look for what lets connections in and nothing through: a firewall, a filter, a login page.",
        ),
        (
            Tls(failed="no answer in time", why=Why.LATE),
            FAULT,
            "TLS got no answer in time.",
            "Look for what lets connections in and nothing through: a firewall, a filter, a login page.",
        ),
    ],
)
def test_tls(seen: Tls, grade: Grade, text: str, cure: str) -> None:
    check(tls(CHAT, seen, NOW), "chat.tls", grade, text, cure)


def test_plain_is_for_this_machine_alone() -> None:
    text = "There is none, and none is needed: it is this machine itself."
    check(tls(replace(CHAT, tls=False), Tls(), NOW), "chat.tls", OK, text)
