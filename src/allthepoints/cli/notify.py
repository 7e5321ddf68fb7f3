"""`notify test`: whether notifications arrive, place by place."""

from __future__ import annotations

import asyncio

import typer

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import UsageError
from allthepoints.cli import output
from allthepoints.cli.exits import Exit
from allthepoints.cli.here import here
from allthepoints.cli.options import AsJson
from allthepoints.views.plain import Field, Shape

app = typer.Typer(rich_markup_mode=None)

TRIED: Shape[tuple[str, str | None]] = Shape(
    "A tried place of notifications",
    "`notify test --json`: a list",
    (
        Field("name", "str", "The place, without what is secret in its address.", lambda tried: tried[0]),
        Field("ok", "bool", "Whether it took the message.", lambda tried: tried[1] is None),
        Field("error", "str|null", "Why not.", lambda tried: tried[1]),
    ),
)


@app.callback()
def notify() -> None:
    """Whether notifications arrive. Where they go stands in the config, under [notify]."""


@app.command("test")
def send_test(context: typer.Context, as_json: AsJson = False) -> int:
    """Send a test message to each place. Exit code 0 if all took it, 1 if one did not, 2 if there is none."""
    from allthepoints import wiring
    from allthepoints.base.threads import Unawaited
    from allthepoints.service.alerting import tried
    from allthepoints.views.alert_text import trial_notice

    settings = here(context).load().settings
    notifier = wiring.notifier(settings, SystemClock())
    if not notifier.places:
        raise UsageError(
            "there is nobody to notify", 'Name a place in the config: [notify], then urls = ["ntfy://your-topic"].'
        )

    async def send() -> list[str | None]:
        asyncio.get_running_loop().set_default_executor(Unawaited())
        return await tried(notifier, trial_notice())

    errors = asyncio.run(send())
    results = list(zip(notifier.places, errors, strict=True))
    if as_json:
        output.say_json([TRIED.of(result) for result in results])
    else:
        for name, error in results:
            output.say(f"{name}: {'ok' if error is None else f'not sent: {error}'}")
    return Exit.OK if not any(errors) else Exit.FAULT
