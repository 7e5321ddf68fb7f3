"""The two stages with a StreamElements: what it sells and pays, and our token, set alike on both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from service_stages import Fakes, Sockets, Stage

from allthepoints.base.secret import Secret
from allthepoints.base.types import ItemId, Login, UserId
from allthepoints.core.loyalty import JwtState
from allthepoints.core.model import ChannelRef
from allthepoints.core.redeem import Redemption
from allthepoints.sim.elements import SeChannel, StoreItem, guid
from allthepoints.storage.jwtfile import JwtFile
from allthepoints.storage.read_points import PointsReader
from allthepoints.testing.fakes_points import Outcome


class Ground:
    """A stage, and StreamElements around it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        if isinstance(stage, Fakes):
            account = stage.twitch.account
            stage.elements.viewer = replace(stage.elements.viewer, login=account.login, user_id=account.user_id)

    def add(self, login: str, points: int, *, live: bool = False) -> None:
        """A followed channel where we have so many points."""
        self.stage.add(login)
        if isinstance(self.stage, Fakes):
            user = self.stage.sandbox.world.find(login)
            self.stage.elements.add(ChannelRef(UserId(user.id), Login(login), login), points=points)
        else:
            self.stage.sandbox.fault("points_add", channel=login, amount=points)
        if live:
            self.stage.go_live(login)

    def sell(self, login: str, name: str, cost: int, codes: tuple[str, ...] = ()) -> ItemId:
        if isinstance(self.stage, Fakes):
            return self.stage.elements.sell(login, name, cost, codes=codes).id
        channel = self._channel(login)
        kind = "code" if codes else "perk"
        item = StoreItem(guid("item", channel.id, len(channel.items)), name, cost, kind=kind, codes=list(codes))
        channel.items[item.id] = item
        return ItemId(item.id)

    def price(self, login: str, item: ItemId, cost: int) -> None:
        if isinstance(self.stage, Fakes):
            self.stage.elements.change(item, cost=cost)
        else:
            self.stage.sandbox.fault("price", channel=login, item=str(item), cost=cost)

    def jwt(self, state: JwtState) -> None:
        """What stands in the file of the token from now on."""
        if isinstance(self.stage, Fakes):
            self.stage.elements.jwt = state
            return
        assert isinstance(self.stage, Sockets)
        file, sandbox = JwtFile(self.stage.data.jwt), self.stage.sandbox
        match state:
            case JwtState.GOOD:
                file.save(Secret(sandbox.issue_jwt()))
            case JwtState.EXPIRED:
                file.save(Secret(sandbox.issue_jwt(expires_in=-60)))
            case JwtState.REFUSED:
                file.save(Secret(sandbox.issue_jwt(foreign=True)))
            case JwtState.MALFORMED:
                file.save(Secret("anOverlayToken"))
            case _:
                file.forget()

    def lose_answer(self, *, booked: bool) -> None:
        """Of the next POST nobody hears any more."""
        if isinstance(self.stage, Fakes):
            self.stage.elements.answer_next(Outcome.UNKNOWN_BOOKED if booked else Outcome.UNKNOWN_LOST)
        else:
            self.stage.sandbox.fault("booked_no_answer" if booked else "lost_before_booking", kind="html")

    def booked(self) -> int:
        """What was really bought."""
        if isinstance(self.stage, Fakes):
            return len(self.stage.elements.bought)
        return sum(len(channel.redemptions) for channel in self.stage.sandbox.elements.channels.values())

    def ask(self, key: str, login: str, item: ItemId, cost: int, **more: Any) -> None:
        """A person said yes."""
        self.stage._run.service.ask("redeem", Login(login), {"key": key, "item": item, "cost": cost, **more})

    def stored(self, key: str) -> Redemption | None:
        """The redemption, as another process reads it."""
        if isinstance(self.stage, Fakes):
            return self.stage.memory.redemptions.get(key)
        assert isinstance(self.stage, Sockets)
        return PointsReader(self.stage.data.database).redemption(key)

    def state(self, key: str) -> str:
        one = self.stored(key)
        return "" if one is None else one.state

    def _channel(self, login: str) -> SeChannel:
        found = self.stage.sandbox.elements.of(self.stage.sandbox.world.find(login))
        assert found is not None
        return found
