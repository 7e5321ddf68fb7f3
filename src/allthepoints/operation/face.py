"""The dashboard beside the service, in the same process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from allthepoints.base.clock import Clock
from allthepoints.base.types import JSON, Login
from allthepoints.config.paths import ConfigPath, DataDir
from allthepoints.config.settings import Settings
from allthepoints.operation.alerts import Alerts
from allthepoints.operation.reload import Reload
from allthepoints.service.loop import Service
from allthepoints.storage.read_points import PointsReader
from allthepoints.twitch.oauth import sign_in_by_device
from allthepoints.wiring import Given, notifier, signing_in

if TYPE_CHECKING:
    from allthepoints.views.web.server import Dashboard


class Link:
    """From the dashboard, which is told by the service's hooks, to the service, which is made with them."""

    def __init__(self, settings: Settings) -> None:
        self.service: Service | None = None
        self.reload: Reload | None = None
        self.alerts: Alerts | None = None
        self._settings = settings

    def settings(self) -> Settings:
        return self._settings if self.reload is None else self.reload.settings

    def read_config(self) -> None:
        """Take up what the config says now. A service that is starting reads it anyway."""
        if self.reload is not None:
            self.reload.now()

    def notified(self) -> JSON:
        return None if self.alerts is None else self.alerts.shown

    def ask(self, kind: str, login: Login | None, data: Mapping[str, JSON]) -> None:
        if self.service is None:
            raise ValueError("the service is starting")
        self.service.ask(kind, login, data)


def dashboard(
    settings: Settings, config: ConfigPath, data: DataDir, given: Given, clock: Clock, link: Link
) -> Dashboard | None:
    """The web face, if the config has one; it is imported only then. Raises UsageError, FaultError."""
    if not settings.dashboard.listen:
        return None
    from allthepoints.service.alerting import tried  # noqa: PLC0415
    from allthepoints.views.alert_text import trial_notice  # noqa: PLC0415
    from allthepoints.views.web.board import Board, Doings  # noqa: PLC0415 -- some MiB for who has none
    from allthepoints.views.web.server import Dashboard  # noqa: PLC0415

    async def sign_in(show: Callable[[str, str, float], None]) -> Login:
        now = link.settings()
        async with signing_in(now, given, data, clock) as (oauth, keeper):
            grant = await sign_in_by_device(
                oauth, clock, lambda code: show(code.user_code, code.verification_uri, code.expires_in)
            )
            return (await keeper.adopt(grant)).account.login

    async def try_notify() -> list[tuple[str, str | None]]:
        places = notifier(link.settings(), clock)
        return list(zip(places.places, await tried(places, trial_notice()), strict=True))

    doings = Doings(link.ask, link.settings, config.path, sign_in, try_notify, link.notified)
    board = Board(PointsReader(data.database), clock, doings, settings.dashboard.base_path)
    return Dashboard(board, settings.dashboard, data, clock)
