"""What changed, and whom it concerns: for those who keep an answer, so that a turn costs what has changed.

Theory. Two channels in three thousand change in most turns, and nothing at all in half of them. What was worked out of
the state (who gets a slot, what is to be read next, a row that faces see) holds until something changes that it was
made of, or a time comes that it looked at. So the state counts its changes. Whoever keeps an answer keeps the count at
which it was made, and asks later what came since.

`apply` and `intend` mark each change. What is not known to concern one channel alone concerns everybody, and all is
worked out anew: that costs a few milliseconds and is never wrong. What is kept is never told apart from what is found
anew: the tests of the core and of the service compare the two after every turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from allthepoints.base.types import UserId


@dataclass(slots=True)
class Changes:
    """`count`: how many there were. `everybody`: the count of the last one that may concern every channel; `chat`: of
    the last one that may concern rooms and connections."""

    count: int = 0
    everybody: int = 0
    chat: int = 0
    _last: dict[UserId, int] = field(default_factory=dict)
    """The last change of each channel, the latest at the end."""

    def of_everybody(self) -> None:
        """Anything may be different."""
        self.count += 1
        self.everybody = self.chat = self.count

    def of_channel(self, channel: UserId) -> None:
        """What is known of one channel is different, its rooms with it."""
        self.of_points(channel)
        self.chat = self.count

    def of_points(self, channel: UserId) -> None:
        """What is known of one channel's points is different."""
        self.count += 1
        self._last.pop(channel, None)
        self._last[channel] = self.count

    def of_chat(self) -> None:
        """A deadline or a connection is different, and nothing that is shown of any channel."""
        self.count += 1
        self.chat = self.count

    def since(self, count: int) -> list[UserId]:
        """The channels that changed after `count`, as far as not everybody did (`everybody` tells)."""
        changed = []
        for channel in reversed(self._last):
            if self._last[channel] <= count:
                break
            changed.append(channel)
        return changed
