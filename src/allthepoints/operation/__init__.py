"""Floor 5: running it for months: the service until a signal, and what keeps, checks and mends it."""
