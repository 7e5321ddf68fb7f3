"""The web face: pages and JSON for one person, from inside the running service."""
