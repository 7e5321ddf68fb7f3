"""The terminal view: what `watch` shows of a service that runs in another process."""
