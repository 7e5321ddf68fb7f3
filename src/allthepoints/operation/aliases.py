"""Takes out of a text who it is about and what would let somebody in, for reports that strangers read.

Theory. What is known to be secret is cut out letter by letter: what stands in the token files, in the environment, in
the config's addresses. Behind that, what has the form of a secret (`base/redact.py`). Names become aliases: the same
one for all names of a channel, numbered in the order in which they were first seen, so that they stay the same as the
list grows. Names are looked up word by word, which takes time by the length of the text and not by how many there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from allthepoints.base.redact import CUT, cut
from allthepoints.base.types import JSON

OURS = frozenset({"state", "verdict", "kind", "severity", "code", "grade", "events", "name"})
"""Fields whose words are the program's own, whatever a channel may be called."""

HIDDEN = frozenset({"stream"})
"""Fields that lead to a channel, and are of no use."""

SHORT_ID = 5
"""Digits. A shorter number in a text is no id of a channel, but some number."""

_WORD = re.compile(r"[A-Za-z0-9_]+")
_LONG = re.compile(r"(?<![A-Za-z0-9_])(?=[A-Za-z_]*\d)(?=\d*[A-Za-z_])[A-Za-z0-9]{24,}(?![A-Za-z0-9_])")
_OF_CONFIG = re.compile(r"(?m)^.*(?:<config>|\.toml\b).*$")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")


@dataclass(slots=True)
class Redaction:
    """`text` and `plain` give what may be told. `secrets` are cut; `places` (paths) and `phrases` are replaced as they
    stand, `names` as whole words, in whatever case."""

    secrets: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = tuple(sorted(set(self.secrets), key=lambda secret: (-len(secret), secret)))
        self.places = dict(sorted(self.places.items(), key=lambda place: (-len(place[0]), place[0])))
        self.phrases = dict(sorted(self.phrases.items(), key=lambda phrase: (-len(phrase[0]), phrase[0])))

    def text(self, text: str) -> str:
        """`text` as it may be told."""
        for secret in self.secrets:
            text = text.replace(secret, CUT)
        text = cut(text)
        for path, shown in self.places.items():
            text = text.replace(path, shown)
        text = _OF_CONFIG.sub(lambda line: _QUOTED.sub('"…"', line[0]), text)
        if not self.names:
            return text
        for phrase, shown in self.phrases.items():
            text = text.replace(phrase, shown)
        return _LONG.sub(CUT, _WORD.sub(self._word, text))

    def plain(self, value: JSON, key: str = "") -> JSON:
        """`value` as it may be told; keys are the program's own."""
        match value:
            case str() if key in HIDDEN and self.names:
                return CUT
            case str() if key in OURS and re.fullmatch(r"[a-z_.]+", value):
                return value
            case str():
                return self.names.get(value.lower()) or self.text(value)
            case Mapping():
                return {name: self.plain(entry, name) for name, entry in value.items()}
            case list() | tuple():
                return [self.plain(entry, key) for entry in value]
            case _:
                return value

    def _word(self, found: re.Match[str]) -> str:
        word = found[0]
        if word.isdigit() and len(word) < SHORT_ID:
            return word
        return self.names.get(word.lower(), word)


def aliases(
    channels: Mapping[str, Iterable[str]], account: Iterable[str], others: Iterable[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Words to aliases, and what is no word (other scripts, spaces) to aliases.

    `channels`: the names of each by its id, in a lasting order; `others`: names of which no id is known.
    """
    words: dict[str, str] = {}
    phrases: dict[str, str] = {}
    number = 0

    def take(name: str, alias: str) -> None:
        if _WORD.fullmatch(name):
            words.setdefault(name.lower(), alias)
        else:
            phrases.setdefault(name, alias)

    for name in account:
        take(name, "account")
    for number, (channel, names) in enumerate(channels.items(), 1):
        for name in (*names, channel):
            take(name, f"channel-{number}")
    for name in others:
        if name.lower() not in words:
            number += 1
            take(name, f"channel-{number}")
    return words, phrases
