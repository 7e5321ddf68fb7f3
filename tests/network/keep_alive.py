"""A connection takes its time, and is in a hurry only once the way is cut: so a machine that stands still for a moment
on the way into the rooms ends nothing."""

from __future__ import annotations

from dataclasses import replace

from allthepoints.twitch.link import Link


def hurry(link: Link, idle_ping: float, pong_timeout: float) -> None:
    """These seconds from now on."""
    link.session._options = replace(link.session._options, idle_ping=idle_ping, pong_timeout=pong_timeout)
    link.flush()
