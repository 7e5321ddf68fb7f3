"""StreamElements' documents as they look on the wire. Pure."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime

from allthepoints.sim.elements import Redemption, SeChannel, StoreItem, guid

Row = dict[str, object]

_CREATED_AT = 1_638_525_600.0
"""When every channel was made."""

AVATAR = "https://cdn.streamelements.com/static/default.png"


@functools.lru_cache(maxsize=4096)
def time(at: float) -> str:
    """ISO 8601 with milliseconds; with one digit less where the last is 0, as theirs now and then."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return f"{text}Z" if text.endswith("000") else f"{text.removesuffix('0')}Z"


def channel(found: SeChannel) -> Row:
    """GET channels/{nameOrId}."""
    owner = found.owner
    return {
        "profile": {"headerImage": AVATAR, "title": f"{owner.login}'s profile"},
        "provider": found.provider,
        "_id": found.id,
        "avatar": AVATAR,
        "username": owner.login,
        "alias": owner.login,
        "displayName": owner.display_name,
        "providerId": owner.id if found.provider == "twitch" else guid("elsewhere", owner.id),
        "isPartner": False,
        "broadcasterType": "affiliate",
        "inactive": owner.deleted,
        "suspended": bool(owner.suspended),
    }


def own_channel(found: SeChannel) -> Row:
    """GET channels/me: with secrets in it that nobody may keep."""
    row, secrets = channel(found), Secrets(found)
    row.pop("profile")
    return {
        **row,
        "email": secrets.email,
        "type": "user",
        "apiToken": secrets.api_token,
        "accessToken": secrets.access_token,
        "users": [{"user": guid("user", found.id), "role": "owner", "providerId": found.owner.id}],
        "ab": [],
        "country": "IT",
        "lastLogin": time(_CREATED_AT),
        "createdAt": time(_CREATED_AT),
        "updatedAt": time(_CREATED_AT),
        "authorized": True,
        "features": {},
        "geo": None,
    }


class Secrets:
    """What `channels/me` tells of its owner. Derived, so that a search for leaks knows what to look for."""

    def __init__(self, found: SeChannel) -> None:
        self.email = f"{guid('email', found.id)[:10]}@canary.example"
        self.api_token = f"{guid('apiToken', found.id)}{guid('more', found.id)}"[:40]
        self.access_token = guid("accessToken", found.id)

    def all(self) -> tuple[str, ...]:
        return (self.email, self.api_token, self.access_token)


def user(found: SeChannel) -> Row:
    """GET users/current, the little of it that is needed."""
    own = {"_id": found.id, "provider": found.provider, "username": found.owner.login, "role": "owner"}
    return {
        "_id": guid("user", found.id),
        "username": found.owner.login,
        "primaryChannel": found.id,
        "channels": [{**own, "lastJWTToken": None}],
    }


def loyalty(found: SeChannel) -> Row:
    """GET loyalty/{channel}. Old settings say no interval, and call a raid a host."""
    now = found.terms.now
    minutes = now.interval / 60
    told: Row = {"interval": int(minutes) if minutes.is_integer() else minutes} if now.tells_interval else {}
    raid = "raid" if now.tells_interval else "host"
    return {
        "loyalty": {
            "name": now.currency,
            "enabled": now.enabled,
            "amount": now.amount,
            **told,
            "subscriberMultiplier": now.subscriber_multiplier,
            "ignored": sorted(now.ignored),
            "bonuses": {"follow": 25, "tip": 10, "subscriber": 250, "cheer": 100, raid: 50},
        },
        "_id": guid("loyalty", found.id),
        "channel": found.id,
        "createdAt": time(_CREATED_AT),
        "updatedAt": time(_CREATED_AT),
    }


def item(found: SeChannel, one: StoreItem, *, for_owner: bool = False) -> Row:
    """One item of a store. Access codes are for the owner only."""
    quantity: Row = {"total": one.total}
    if one.total != -1 or one.tells_current:
        quantity["current"] = one.left if one.total != -1 else -1
    cooldown = {"user": _whole(one.cooldown_user), "global": _whole(one.cooldown_global)}
    category = {"category": _whole(one.cooldown_category)} if one.category else {}
    codes = {"accessCodes": {"keys": list(one.codes), "mode": "multi", "random": False}}
    return {
        "_id": one.id,
        "channel": found.id,
        "name": one.name,
        "description": one.description,
        "type": one.kind,
        "cost": one.cost,
        "enabled": one.enabled,
        "featured": one.featured,
        "public": one.public,
        "subscriberOnly": one.subscriber_only,
        "allowMessages": one.takes_message,
        "userInput": list(one.asks),
        "quantity": quantity,
        "cooldown": {**cooldown, **category},
        "categoryName": one.category,
        "sources": list(one.sources),
        "bot": {"identifier": one.keyword, "sendResponse": True} if one.keyword else {"sendResponse": False},
        "alert": {"enabled": True, "graphics": {"duration": 8, "type": "image"}, "audio": {"volume": 0.5, "src": None}},
        "accessLevel": 100,
        "order": one.order,
        **(codes if for_owner and one.kind == "code" else {}),
        "createdAt": time(one.created_at),
        "updatedAt": time(one.updated_at),
    }


def odd_item(row: Row, kind: str) -> Row:
    """As it came years ago, or with as little in it as may be."""
    if kind == "bare":
        return {name: row[name] for name in ("_id", "channel", "name", "cost")}
    cooldown = row["cooldown"]
    assert isinstance(cooldown, dict)
    old = {name: value for name, value in row.items() if name not in ("quantity", "sources", "userInput", "bot")}
    return {**old, "cooldown": cooldown["user"], "preview": AVATAR}


def redemption(one: Redemption) -> Row:
    """What a POST answers: with the code, and with ids where a list has documents."""
    code = {} if one.code is None else {"accessCode": one.code}
    return {
        **_redemption(one),
        "channel": one.channel.id,
        "item": one.item.id,
        **code,
    }


def history(ones: Sequence[Redemption], total: int) -> Row:
    """GET redemptions/me: no codes, and null where the item is gone."""
    return {"total": total, "docs": [_populated(one) for one in ones]}


def _populated(one: Redemption) -> Row:
    owner, bought = one.channel.owner, one.item
    gone = bought.id not in one.channel.items
    return {
        **_redemption(one),
        "channel": {
            "_id": one.channel.id,
            "avatar": AVATAR,
            "username": owner.login,
            "displayName": owner.display_name,
            "inactive": owner.deleted,
            "isPartner": False,
        },
        "item": None
        if gone
        else {"_id": bought.id, "name": bought.name, "cost": bought.cost, "createdAt": time(bought.created_at)},
    }


def _redemption(one: Redemption) -> Row:
    return {
        "_id": one.id,
        "redeemerType": "Channel",
        "redeemer": one.redeemer,
        "completed": one.completed,
        **({"rejected": True} if one.rejected else {}),
        "source": "website",
        "input": list(one.answers),
        **({} if one.message is None else {"message": one.message}),
        "createdAt": time(one.at),
        "updatedAt": time(one.updated_at),
    }


def _whole(seconds: float) -> int:
    return round(seconds)
