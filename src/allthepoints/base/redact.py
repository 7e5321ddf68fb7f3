"""Cuts what looks like a secret out of a text: the last resort, behind `Secret`, which does not show itself at all.

Theory. A secret gives itself away by its form (a JWT, a Twitch token of 30 or 50 small letters and digits), by its
name (`access_token=…`, `Authorization: …`), or by its place in an address (`https://user:password@host`, and all of a
notification's address, `tgram://…`, where the whole of it is the key). What is cut by mistake costs a word of a log;
what is not cut may cost an account. Whatever the text, this takes time in proportion to its length.
"""

from __future__ import annotations

import re

CUT = "***"

_NAMES = (
    "access[_-]?token|refresh[_-]?token|id[_-]?token|api[_-]?token|auth[_-]?token|bot[_-]?token|token|jwt|"
    "api[_-]?key|access[_-]?code|device[_-]?code|client[_-]?secret|secret|password|passwd|passphrase"
)

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer x, 'authorization': 'OAuth x', (b'Authorization', b'Bearer x'): to the quote or the end
    (re.compile(r"""(?i)\b(authorization\\?["']?\s{0,4}[:=,]\s{0,4}(?:b?\\?["'])?)[^\r\n"'\\]+"""), r"\1***"),
    (re.compile(r"(?i)\b((?:set-)?cookie\s{0,4}:\s{0,4})[^\r\n\"']+"), r"\1***"),
    (re.compile(r"(?i)\boauth:[^\s\"',;)]+"), "oauth:***"),
    (re.compile(r"\bPASS [^\s\"']+"), "PASS ***"),
    # name=value, "name": "value", name: value1 (in prose a word without a digit is just the next word)
    (re.compile(rf"""(?i)((?:{_NAMES})=)(["']?)[^\s"'&,;)}}\]]+"""), r"\1\2***"),
    (re.compile(rf"""(?i)((?:{_NAMES})\\?["']\s{{0,4}}[:,]\s{{0,4}}b?\\?["'])[^"'\\]+"""), r"\1***"),
    (re.compile(rf"(?i)((?:{_NAMES}):\s{{0,4}})(?=[^\s\"']{{0,200}}\d)[^\s\"',;)]+"), r"\1***"),
    (re.compile(r"""\b(code=["'])[^"']+"""), r"\1***"),
    (re.compile(r"(?i)\b((?:bearer|oauth|basic)\s)(?=[^\s\"']{0,200}[\d=])[^\s\"',;)]{6,}"), r"\1***"),
    (re.compile(r"\beyJ[\w-]{4,4000}(?:\.[\w-]{0,4000}){0,2}"), CUT),
    (re.compile(r"(?<![A-Za-z0-9])(?:[a-z0-9]{30}|[a-z0-9]{50})(?![A-Za-z0-9])"), CUT),
    # what else is long and mixed: a webhook's key, a part of a token
    (re.compile(r"(?<![\w-])(?=[\w-]{0,99}\d)(?=[\w-]{0,99}[a-z])(?=[\w-]{0,99}[A-Z])[A-Za-z0-9_-]{40,4000}"), CUT),
)

_ADDRESS = re.compile(r"(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{0,30})://([^\s\"'<>`]+)")

_OPEN = frozenset({"http", "https", "ws", "wss", "irc", "ircs"})
"""Addresses of which host and path may be told."""

_PLAIN = frozenset({"file", "unix"})

_SENT = re.compile(r"(?i)(hook[^/]*|services|bot\d+:[^/]*)(/|$)")
"""Where the path of an address begins to be a key: `/api/webhooks/…`, `hooks.slack.com/services/…`, `/bot12:…/`."""


def cut(text: str) -> str:
    """`text` without what looks like a secret."""
    text = _ADDRESS.sub(_address, text)
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def _address(found: re.Match[str]) -> str:
    scheme, rest = found[1], found[2]
    kind = scheme.lower()
    if kind in _PLAIN:
        return found[0]
    if kind not in _OPEN:
        return f"{scheme}://{CUT}"
    if "@" in rest.partition("?")[0]:  # a password may hold a slash, so everything before the last one goes
        rest = f"{CUT}@{rest.rpartition('@')[2]}"
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}{slash}{_path(path)}"


def _path(path: str) -> str:
    key = _SENT.search(path)
    return path if key is None else path[: key.start()] + CUT
