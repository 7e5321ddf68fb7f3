"""`notify test`: whether notifications arrive, place by place."""

from __future__ import annotations

import asyncio

import typer

from allthepoints.base.clock import SystemClock
from allthepoints.base.errors import UsageError
from allthepoints.base.types import JSON
from allthepoints.cli import output
from allthepoints.cli.exits import Exit
from allthepoints.cli.here import here
from allthepoints.cli.options import AsJson

app = typer.Typer(rich_markup_mode=None)


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
    results: list[JSON] = [
        {"name": name, "ok": error is None, "error": error} for name, error in zip(notifier.places, errors, strict=True)
    ]
    if as_json:
        output.say_json(results)
    else:
        for name, error in zip(notifier.places, errors, strict=True):
            output.say(f"{name}: {'ok' if error is None else f'not sent: {error}'}")
    return Exit.OK if not any(errors) else Exit.FAULT
