"""allthepoints: in your streamers' chats while they are live, provably."""

from allthepoints._version import __version__

__all__ = ["__version__"]
