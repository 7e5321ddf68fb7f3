"""Floor 4: how what is known is shown. Owns no state."""
