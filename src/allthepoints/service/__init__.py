"""Floor 3: asyncio lives here: the loop and the tasks that perform its actions. Knows ports, never adapters."""
