"""Floor 3: Twitch: OAuth, Helix and the chat transport."""
