"""`redeem` and `redemptions`: what is said before, what is left for the service, and how it ends."""

import base64
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from cli_home import AT, Atp
from points_home import BOUGHT, CODE, HYDRATE, KEY, MAP, SOUND, Errands

from allthepoints.base.types import SeId
from allthepoints.cli import fresh
from allthepoints.cli import here as here_module
from allthepoints.cli.app import COMMANDS
from allthepoints.cli.tree import build
from allthepoints.core.elements import JWT_NOTE
from allthepoints.core.records import Noted, RedemptionKept
from allthepoints.core.redeem import Reason, Redemption, State, say


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch, utc: None) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT)
    monkeypatch.setattr(fresh, "LOOK_WITHIN", 0.0)
    monkeypatch.setattr("allthepoints.cli.redeem.SETTLE", 0.0)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


Types = Callable[..., None]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Types:
    """A person at a terminal who types these lines."""

    def at_a_terminal(*lines: str) -> None:
        stdin = io.StringIO("".join(f"{line}\n" for line in lines))
        stdin.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", stdin)

    return at_a_terminal


def redeems(errands: Errands) -> list[dict[str, object]]:
    return [payload for kind, _, payload in errands.asked if kind == "redeem"]


def test_the_proposal_the_question_and_the_end(atp: Atp, errands: Errands, types: Types) -> None:
    types("Dust", "y")
    result = atp("redeem", "alpha", "Pick the next map 🗺", "--message", "thanks")
    assert result.code == 0
    assert result.out.splitlines() == [
        "Pick the next map 🗺, in Alpha's store",
        "  price    1,500 acorns",
        "  balance  1,850 acorns, of which 350 are left afterwards",
        "  note     3 left",
        "  note     once in 10 min for each viewer",
        "  note     once in 1 min for everyone together",
        "  answer   Map name: Dust",
        "  message  thanks",
        "It cannot be undone.",
        "",
        "Redeemed: Pick the next map 🗺 in Alpha's store, for 1,500 acorns.",
    ]
    assert "Map name Spend 1,500 acorns on Pick the next map 🗺? [y/N] " in result.err
    (payload,) = redeems(errands)
    key = payload.pop("key")
    assert isinstance(key, str)
    assert len(key) == 32
    assert payload == {
        "item": MAP.id,
        "cost": 1500,
        "answers": ["Dust"],
        "message": "thanks",
        "dry": False,
    }


@pytest.mark.parametrize("said", ["", "n", "no", "yes please", "N"])
def test_anything_but_a_yes_is_a_no(atp: Atp, errands: Errands, types: Types, said: str) -> None:
    types(said)
    result = atp("redeem", "alpha", "Hydrate")
    assert (result.code, redeems(errands)) == (3, []), "0 would say that you have it"
    assert result.err.endswith("Nothing was sent.\n")


def test_where_nobody_can_be_asked_nothing_is_spent(atp: Atp, errands: Errands) -> None:
    result = atp("redeem", "alpha", "Hydrate")
    assert (result.code, result.out, errands.asked) == (2, "", [])
    assert result.err.startswith("error: nobody can be asked here, and points are not spent unasked\n\nhint: Add --yes")


def test_json_is_the_contracts(atp: Atp, errands: Errands) -> None:
    result = atp("redeem", "alpha", MAP.id, "--input", "Dust", "--yes", "--json")
    assert result.code == 0
    plain = json.loads(result.out)
    assert plain.pop("id") == redeems(errands)[0]["key"]
    assert plain == {
        "channel": "alpha",
        "item_id": MAP.id,
        "item": "Pick the next map 🗺",
        "cost": 1500,
        "state": "accepted",
        "message": None,
        "access_code": None,
        "settled_at": "2026-11-25T21:00:02.000Z",
        "reason": None,
        "asked_at": "2026-11-25T21:00:00.000Z",
        "sent_at": "2026-11-25T21:00:01.000Z",
        "auto": False,
        "dry_run": False,
        "has_code": False,
        "account": None,
        "by_hand": False,
    }
    assert "Pick the next map 🗺, in Alpha's store\n" in result.err, "the proposal is no data then"


def test_fc_48_each_yes_is_an_intent_of_its_own_and_one_only(atp: Atp, errands: Errands) -> None:
    for _ in range(3):
        atp("redeem", "alpha", "hydrate", "--yes")
    keys = [payload["key"] for payload in redeems(errands)]
    assert len(set(keys)) == len(keys) == 3


def test_an_access_code_comes_from_the_stored_row(atp: Atp, errands: Errands) -> None:
    errands.items = (replace(KEY, stock=2),)
    errands.outcome = lambda asked: replace(asked, state=State.ACCEPTED, settled_at=AT + 1, code=CODE)
    assert atp("redeem", "alpha", "=A key", "-y").out.endswith(f"Access code: {CODE}\n")
    assert json.loads(atp("redeem", "alpha", KEY.id, "-y", "--json").out)["access_code"] == CODE


Change = Callable[[Redemption], Redemption]


@pytest.mark.parametrize(
    ("outcome", "code", "state", "message", "says"),
    [
        (
            lambda r: replace(r, state=State.REJECTED, reason=Reason.REFUSED, text="You are redeeming too fast"),
            3,
            "rejected",
            "You are redeeming too fast",
            'StreamElements said no ("You are redeeming too fast").',
        ),
        (
            lambda r: replace(r, state=State.REJECTED, reason=Reason.PRICE_CHANGED),
            3,
            "rejected",
            "the price is not the one that you confirmed",
            "Not redeemed, and nothing was spent: Hydrate in Alpha's store.",
        ),
        (
            lambda r: replace(r, state=State.UNKNOWN, sent_at=AT, text="answered 502", account=SeId("5f")),
            4,
            "unknown",
            "answered 502",
            "It is not sent again. Your redemptions and your balance are read until it is certain;",
        ),
        (None, 4, "unknown", "it is still under way", "Not known yet: whether Hydrate in Alpha's store was redeemed"),
        (
            lambda r: replace(r, state=State.SENT, sent_at=AT),
            4,
            "unknown",
            "it is still under way",
            "No clear answer came.",
        ),
    ],
)
def test_fc_48_how_it_ends_is_the_exit_code(
    atp: Atp,
    errands: Errands,
    monkeypatch: pytest.MonkeyPatch,
    outcome: Change | None,
    code: int,
    state: str,
    message: str,
    says: str,
) -> None:
    monkeypatch.setattr("allthepoints.cli.redeem.WAIT", 0.0)
    errands.outcome = outcome
    result = atp("redeem", "alpha", "Hydrate", "--yes")
    assert result.code == code
    assert says in result.out
    plain = json.loads(atp("redeem", "alpha", "Hydrate", "--yes", "--json").out)
    assert (plain["state"], plain["message"]) == (state, message)


def test_a_service_that_never_takes_it_up_is_not_known(atp: Atp, errands: Errands) -> None:
    def look_only(kind: str, *rest: object) -> list[object]:
        return [] if kind == "redeem" else records(kind, *rest)  # type: ignore[arg-type]

    records = errands.records
    errands.records = look_only  # type: ignore[method-assign, assignment]
    result = atp("redeem", "alpha", "Hydrate", "--yes", "--json")
    assert result.code == 4
    plain = json.loads(result.out)
    assert (plain["state"], plain["cost"], plain["message"]) == (
        "unknown",
        100,
        "the service did not take it up in time",
    )


def test_dry_run_sends_nothing_and_asks_nothing(atp: Atp, errands: Errands) -> None:
    errands.outcome = lambda asked: replace(asked, state=State.CHECKED, settled_at=AT + 1)
    result = atp("redeem", "alpha", "Hydrate", "--dry-run")
    assert result.code == 0
    assert redeems(errands)[0]["dry"] is True
    assert result.out.endswith(
        "All checks passed: Hydrate in Alpha's store could be redeemed for 100 acorns. Nothing was sent.\n"
    )
    assert json.loads(atp("redeem", "alpha", "Hydrate", "--dry-run", "--json").out)["state"] == "checked"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["Pick the next map"], "Alpha's store has no item 'Pick the next map'; did you mean 'Pick the next map 🗺'?"),
        (["Once"], "Alpha's store has no item 'Once'"),
        (["SOUND"], "Alpha's store has 2 items called 'SOUND'"),
        ([MAP.id], "Pick the next map 🗺 asks: Map name"),
        (
            [MAP.id, "--input", "a", "--input", "b"],
            "Pick the next map 🗺 asks 1 question, and --input was given 2 times",
        ),
        ([MAP.id, "--input", " "], "an answer is empty"),
        (["Hydrate", "--message", "hi"], "Hydrate takes no message"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_anything_is_sent(
    atp: Atp, errands: Errands, args: list[str], text: str
) -> None:
    result = atp("redeem", "alpha", *args, "--yes")
    assert (result.code, result.out, redeems(errands)) == (2, "", [])
    assert f"error: {text}" in result.err


def test_of_two_with_one_name_the_id_is_wanted(atp: Atp, errands: Errands) -> None:
    result = atp("redeem", "alpha", "SOUND", "--yes")
    assert f"hint: Name one by its id: {SOUND.id} (50)" in result.err
    assert atp("redeem", "alpha", "Sound", "--yes").code == 0, "an exact name is one"
    assert redeems(errands)[0]["item"] == SOUND.id


def test_an_outage_is_a_fault_and_not_an_unknown_outcome(atp: Atp, errands: Errands) -> None:
    errands.answers = False
    result = atp("redeem", "alpha", "Hydrate", "--yes")
    assert (result.code, redeems(errands)) == (1, [])
    assert "; nothing was sent\n" in result.err


def test_fc_31_without_a_jwt_nothing_is_asked(atp: Atp, errands: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALLTHEPOINTS_STREAMELEMENTS_JWT")
    result = atp("redeem", "alpha", "Hydrate", "--yes")
    assert (result.code, result.out, errands.asked) == (3, "", [])
    assert "Run `allthepoints login streamelements`" in result.err


def test_one_who_stops_waiting_is_told_where_it_goes_on(
    atp: Atp, errands: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*args: object) -> None:
        raise KeyboardInterrupt

    run = errands.run

    async def errand(*args: object) -> None:
        await (interrupted() if args[3] == "redeem" else run(*args))  # type: ignore[arg-type]

    monkeypatch.setattr("allthepoints.wiring.errand", errand, raising=False)
    result = atp("redeem", "alpha", HYDRATE.id, "--yes")
    assert result.code == 130
    assert "It may go on without you: `allthepoints redemptions show " in result.err


# -- redemptions ---------------------------------------------------------------------------------------------------
def test_nothing_was_redeemed(atp: Atp, home: Path) -> None:
    assert atp("redemptions").out == "Nothing was redeemed yet.\n"
    assert json.loads(atp("redemptions", "--json").out) == []


def test_the_list_has_no_codes(atp: Atp, earned: Path) -> None:
    result = atp("redemptions")
    assert result.out.splitlines() == [
        "when    channel  item                  cost  state          why                         key",
        "20:59   Alpha    Pick the next map 🗺  1,500  not known yet  no answer came              0c0c0c0c",
        "20:59   Alpha    Hydrate                100  not redeemed   You are redeeming too fast  0b0b0b0b",
        "23 Nov  Alpha    =A key                 300  redeemed                                   0a0a0a0a",
    ]
    plain = json.loads(atp("redemptions", "--json").out)
    assert [(p["state"], p["reason"], p["has_code"]) for p in plain] == [
        ("unknown", None, False),
        ("rejected", "refused", False),
        ("accepted", None, True),
    ]
    assert CODE not in result.out + json.dumps(plain)
    assert json.loads(atp("redemptions", "--channel", "beta", "--json").out) == []


def test_a_code_is_shown_again_on_request(atp: Atp, earned: Path) -> None:
    out = atp("redemptions", "show", "0a0a").out
    assert out.splitlines() == [
        "Redeemed: =A key in Alpha's store, for 300 acorns.",
        f"Access code: {CODE}",
        "Asked on 2026-11-23 at 21:00, sent on 2026-11-23 at 21:00, settled on 2026-11-23 at 21:00. Key "
        + "0a" * 16
        + ".",
    ]
    assert json.loads(atp("redemptions", "show", "0a0a" * 8, "--json").out)["access_code"] == CODE


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("ffff", "there is no redemption with the key 'ffff'"),
        ("0a", "there is no redemption with the key '0a'"),
        ("0a0b", "there is no redemption with the key '0a0b'"),
    ],
)
def test_no_such_redemption(atp: Atp, earned: Path, key: str, text: str) -> None:
    result = atp("redemptions", "show", key)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {text}")


def test_fc_31_one_that_has_ended_is_told_before_anything_is_asked(
    atp: Atp, errands: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": AT - 7200}).encode()).decode().rstrip("=")
    jwt = f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl"
    monkeypatch.setenv("ALLTHEPOINTS_STREAMELEMENTS_JWT", jwt)
    result = atp("redeem", "alpha", "Hydrate", "--yes")
    assert (result.code, result.out, errands.asked) == (3, "", [])
    assert result.err.startswith("error: your StreamElements sign-in ended 2 h ago, so nothing can be redeemed\n")
    assert claims not in result.err


def test_fc_31_a_running_service_says_when_its_own_ended(atp: Atp, earning: Path) -> None:
    Errands(earning).write(Noted(AT, JWT_NOTE, f"{AT - 7200:.0f}:0"))
    result = atp("redeem", "alpha", "Hydrate", "--yes")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("error: your StreamElements sign-in ended 2 h ago, so nothing can be redeemed\n")


# -- the person's word ---------------------------------------------------------------------------------------------
UNCLEAR = "0c0c"


def settles(errands: Errands, says: Callable[[Redemption], Redemption] | None) -> None:
    """What the service makes of it: the errand's row is the one that is known."""
    plain = errands.records

    def record(kind: str, login: object, payload: Mapping[str, Any]) -> list[Any]:
        if kind != "settle":
            return plain(kind, login, payload)  # type: ignore[arg-type]
        found = next(one for one in BOUGHT if one.key == payload["key"])
        return [] if says is None else [RedemptionKept(AT, says(found))]

    errands.records = record  # type: ignore[method-assign, assignment]


def said(taken: bool) -> Callable[[Redemption], Redemption]:
    return lambda found: cast(Redemption, say(found, taken, AT + 600))


@pytest.fixture
def unclear(errands: Errands, monkeypatch: pytest.MonkeyPatch) -> Errands:
    """The doubt of the list, sent long ago."""
    errands.write(
        *(RedemptionKept(AT, replace(one, sent_at=AT - 600)) for one in BOUGHT if one.key.startswith(UNCLEAR))
    )
    monkeypatch.setattr("allthepoints.cli.redemptions.SETTLE_WITHIN", 0.0)
    return errands


@pytest.mark.parametrize(("flag", "state"), [("--taken", "accepted"), ("--not-taken", "rejected")])
def test_fc_48_the_person_settles_what_is_not_known(
    atp: Atp, earned: Path, unclear: Errands, flag: str, state: str
) -> None:
    settles(unclear, said(flag == "--taken"))
    result = atp("redemptions", "settle", UNCLEAR, flag, "--yes", "--json")
    assert result.code == 0
    assert unclear.asked[-1] == ("settle", None, {"key": UNCLEAR * 8, "taken": flag == "--taken"})
    plain = json.loads(result.out)
    assert (plain["state"], plain["by_hand"]) == (state, True)
    assert "You say that it was" in result.err, "what it means is no data then"
    shown = atp("redemptions", "show", UNCLEAR)
    assert ", by you" in shown.out
    again = atp("redemptions", "settle", UNCLEAR, flag, "--yes")
    assert (again.code, again.out) == (3, "")
    assert again.err.startswith("error: only what is not known can be settled by hand")


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        ([UNCLEAR], 2, "what became of it?"),
        ([UNCLEAR, "--taken", "--not-taken"], 2, "what became of it?"),
        ([UNCLEAR, "--taken"], 2, "nobody can be asked here, and your word is final"),
        (["0a0a", "--taken", "--yes"], 3, "only what is not known can be settled by hand, and this is not"),
        (["0b0b", "--not-taken", "--yes"], 3, "only what is not known can be settled by hand, and this is not"),
        (["ffff", "--taken", "--yes"], 2, "there is no redemption with the key 'ffff'"),
    ],
)
def test_fc_48_what_cannot_be_settled_by_hand(
    atp: Atp, earned: Path, unclear: Errands, args: list[str], code: int, text: str
) -> None:
    result = atp("redemptions", "settle", *args)
    assert (result.code, unclear.asked) == (code, [])
    assert f"error: {text}" in result.err


def test_fc_48_what_may_still_come_is_not_settled_as_never_taken(atp: Atp, earned: Path, unclear: Errands) -> None:
    found = next(one for one in BOUGHT if one.key.startswith(UNCLEAR))
    unclear.write(RedemptionKept(AT, replace(found, sent_at=AT - 60)))
    result = atp("redemptions", "settle", UNCLEAR, "--not-taken", "--yes")
    assert (result.code, unclear.asked) == (3, [])
    assert result.err == "error: it may still be taken for 2 min: nobody can say now that it was not\n"


def test_fc_48_a_no_changes_nothing(atp: Atp, earned: Path, unclear: Errands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allthepoints.cli.redemptions.is_terminal", lambda: True)
    monkeypatch.setattr("allthepoints.cli.redemptions.confirmed", lambda text: False)
    result = atp("redemptions", "settle", UNCLEAR, "--not-taken")
    assert (result.code, unclear.asked) == (3, [])
    assert result.err == "Nothing was changed.\n"
    assert "is never sent again; you may buy the item anew." in result.out


@pytest.mark.parametrize(
    ("says", "code"),
    [(None, 4), (lambda found: replace(found, state=State.ACCEPTED, settled_at=AT + 1, bought="b1"), 3)],
)
def test_fc_48_how_it_stands_is_told_where_it_was_not_settled_so(
    atp: Atp, earned: Path, unclear: Errands, says: Change | None, code: int
) -> None:
    """Nobody answered; or it was found meanwhile, whatever the person says."""
    settles(unclear, says)
    result = atp("redemptions", "settle", UNCLEAR, "--not-taken", "--yes")
    assert result.code == code
    assert ("Redeemed: " if says else "Not known yet: ") in result.out


# -- help ----------------------------------------------------------------------------------------------------------
def lines_of_help(atp: Atp) -> dict[str, str]:
    """Of every command and those below it."""
    tree = typer.main.get_command(build(COMMANDS, None))
    named = [[name, *below] for name, command in tree.commands.items() for below in _below(command)]  # type: ignore[attr-defined]
    return {" ".join(name): atp(*name, "--help").out for name in named}


def _below(command: Any) -> list[list[str]]:
    return [[], *([name] for name in getattr(command, "commands", {}))]


def test_what_a_value_is_called_is_said_in_words(atp: Atp) -> None:
    texts = lines_of_help(atp)
    assert len(texts) > 20
    for name, text in texts.items():
        assert not re.search(r"<[a-z| ]+>|\[\[|\bINTEGER\b|\.{4}", text), name
    assert "--limit N " in texts["redemptions"]
    assert "--format csv|json " in texts["export"]
    assert texts["points"].startswith("Usage: allthepoints points [OPTIONS] [CHANNEL]\n")


def test_a_dry_run_is_not_said_to_be_final(atp: Atp, errands: Errands) -> None:
    errands.outcome = lambda asked: replace(asked, state=State.CHECKED, settled_at=AT + 1)
    assert "It cannot be undone." not in atp("redeem", "alpha", "Hydrate", "--dry-run").out
    assert "It cannot be undone." in atp("redeem", "alpha", "Hydrate", "--yes").out
