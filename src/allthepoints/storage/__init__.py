"""Floor 3: the memory: one SQLite file, one writer; the token file; the lock."""
