import io
import json
from pathlib import Path

import pytest
from cli_home import AT, Atp
from points_home import HYDRATE, Errands

from allthepoints.cli import here as here_module


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch, utc: None) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


def test_no_wish_yet(atp: Atp, home: Path) -> None:
    for args in ((), ("list",)):
        assert atp("wish", *args).out == "No wish yet. `allthepoints wish add CHANNEL ITEM` adds one.\n"
    assert json.loads(atp("wish", "list", "--json").out) == []


def test_a_wish_stands_in_the_config(atp: Atp, earned: Path, config: Path) -> None:
    assert atp("wish", "add", "#Alpha", "pick the next map 🗺").out == "You wish for Pick the next map 🗺 of alpha.\n"
    assert atp("wish", "add", "alpha", HYDRATE.id).out == "You wish for Hydrate of alpha.\n"
    assert config.read_text() == (
        '[[wish]]\nchannel = "alpha"\nitem = "Pick the next map 🗺"\n\n'
        f'[[wish]]\nchannel = "alpha"\nitem = "{HYDRATE.id}" # Hydrate\n'
    )
    assert atp("wish", "add", "alpha", HYDRATE.id).out == "You wished for Hydrate of alpha already.\n"


def test_a_running_service_takes_it_up(atp: Atp, earning: Path) -> None:
    assert atp("wish", "add", "alpha", "VIP").err == "The running service takes it up by itself.\n"


def test_a_store_that_was_not_read_is_no_obstacle(atp: Atp, home: Path, config: Path) -> None:
    result = atp("wish", "add", "elsewhere", "Something")
    assert (result.code, result.out) == (0, "You wish for Something of elsewhere.\n")
    assert result.err == "elsewhere's store was not read yet, so whether it has that item is not known.\n"
    assert "  the store was not read yet" in atp("wish").out


def test_how_each_stands(atp: Atp, earned: Path) -> None:
    for item in ("VIP", "Hydrate", "=A key", "sound"):
        atp("wish", "add", "alpha", item)
    assert atp("wish", "list").out.splitlines() == [
        "channel  item      cost  when",
        "alpha    VIP      5,000  in about 4 d 9 h",
        "alpha    Hydrate    100  now",
        "alpha    =A key     300  sold out",
        "alpha    sound       60  turned off",
    ]
    vip, hydrate, *_ = json.loads(atp("wish", "--json").out)
    assert (vip["name"], vip["standing"], vip["missing"], vip["eta_s"]) == ("VIP", "not_enough_points", 3155, 378_600)
    assert (hydrate["item_id"], hydrate["standing"], hydrate["auto"]) == (HYDRATE.id, "obtainable", False)


def test_a_wish_is_taken_back_by_id_or_name(atp: Atp, earned: Path, config: Path) -> None:
    atp("wish", "add", "alpha", HYDRATE.id)
    assert atp("wish", "remove", "alpha", "hydrate").out == "You do not wish for hydrate of alpha any more.\n"
    assert "[[wish]]" not in config.read_text()
    again = atp("wish", "remove", "alpha", "hydrate")
    assert (again.code, again.out) == (2, "")
    assert again.err.startswith("error: there is no wish for 'hydrate' of alpha\n")


def test_a_wish_whose_item_is_gone_can_be_taken_back(atp: Atp, earned: Path, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('[[wish]]\nchannel = "alpha"\nitem = "Once"\n')
    assert "alpha    Once  not in the store" in atp("wish").out
    assert atp("wish", "remove", "alpha", "Once").code == 0
    assert "[[wish]]" not in config.read_text()


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["Nothing"], "Alpha's store has no item 'Nothing'"),
        (["SOUND"], "Alpha's store has 2 items called 'SOUND'"),
        (["VIP", "--max-cost", "5"], "bounds were given without --auto"),
        (["Pick the next map 🗺", "--auto"], "Pick the next map 🗺 asks something, which only you can answer"),
        (["VIP", "--auto"], "nobody can be asked here, and points are not spent unasked"),
    ],
)
def test_what_cannot_be_wished(atp: Atp, earned: Path, config: Path, args: list[str], text: str) -> None:
    result = atp("wish", "add", "alpha", *args)
    assert (result.code, result.out) == (2, "")
    assert f"error: {text}" in result.err
    assert not config.exists()


def test_what_happens_by_itself_is_said_and_confirmed_once(atp: Atp, errands: Errands, config: Path) -> None:
    result = atp("wish", "add", "alpha", "VIP", "--auto", "--keep", "500", "--per-day", "9000", "--count", "2", "--yes")
    assert result.code == 0
    assert result.err == (
        "This wish is redeemed without asking, while you are away or asleep:\n"
        "  at most 5,000 points each, 2 in all, 9,000 points in 24 hours, and never below 500 points.\n"
        "What is spent cannot be undone. `allthepoints wish remove alpha VIP` ends it at any time.\n"
    )
    assert "auto = true\nmax_cost = 5000\nper_day = 9000\nkeep = 500\ncount = 2\n" in config.read_text()
    assert errands.asked == [("allow_auto", None, {"allowed": True})]
    again = atp("wish", "add", "alpha", "Hydrate", "--auto", "--max-cost", "120")
    assert (again.code, len(errands.asked)) == (0, 1), "it was understood already"
    assert atp("wish").out.splitlines()[1:] == [
        "alpha    VIP      5,000  in about 4 d 9 h  up to 5,000",
        "alpha    Hydrate    100  now               up to 120",
    ]


def test_a_no_changes_nothing(atp: Atp, errands: Errands, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.StringIO("no\n")
    stdin.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr("sys.stdin", stdin)
    result = atp("wish", "add", "alpha", "VIP", "--auto")
    assert (result.code, errands.asked, config.exists()) == (2, [], False)
    assert "Redeem it without asking? [y/N] " in result.err


def test_why_it_is_not_redeemed_by_itself_is_said(atp: Atp, errands: Errands) -> None:
    atp("wish", "add", "alpha", "Hydrate", "--auto", "--max-cost", "50", "--yes")
    assert "not by itself: it costs more than `max_cost`" in atp("wish").out
    assert json.loads(atp("wish", "--json").out)[0]["held"] == "too_dear"


def test_automatic_wishes_of_the_config_are_allowed_once(
    atp: Atp, errands: Errands, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text('[[wish]]\nchannel = "alpha"\nitem = "VIP"\nauto = true\nmax_cost = 5000\n')
    refused = atp("wish", "allow")
    assert (refused.code, errands.asked) == (2, [])
    assert "nobody can be asked here" in refused.err
    assert atp("wish", "allow", "--yes").out.startswith("Automatic wishes are allowed.")
    assert errands.asked[-1][0] == "allow_auto"
    assert "1 wish in the config may spend points" in atp("wish", "allow", "--yes").err
