"""The sandbox: Twitch on loopback, with real wire formats and named faults. Imports `base` only."""
