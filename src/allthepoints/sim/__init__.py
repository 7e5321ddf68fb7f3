"""The sandbox: Twitch on loopback. Real wire formats, real limits, named faults, and a count of what really happened.

It imports `base` only and shares no code with the client, so that the two cannot be wrong in the same way. Start at
`server.Sandbox`; a day is a `scenario.Scenario` (`days` builds some); `world` holds what is true, `tally` counts it.
"""
