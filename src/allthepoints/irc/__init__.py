"""Floor 1: Twitch chat as bytes in, events and bytes out. Pure: no sockets, no clocks, no tasks."""
