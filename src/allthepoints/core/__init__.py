"""Floor 1: the decisions. Pure: no I/O, no clock, no chance; state and time come in, decisions come out."""
