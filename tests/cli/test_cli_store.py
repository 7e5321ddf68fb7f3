import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli_home import AT, Atp
from points_home import HYDRATE, MAP, VIP, Errands

from allthepoints.base.errors import AlreadyRunning
from allthepoints.cli import fresh
from allthepoints.cli import here as here_module
from allthepoints.storage.read import Reader


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch, utc: None) -> None:
    monkeypatch.setattr(here_module.Here, "now", lambda self: AT)
    monkeypatch.setattr(fresh, "LOOK_WITHIN", 0.0)


def test_no_store_is_known(atp: Atp, home: Path) -> None:
    result = atp("store")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("No store is known yet.\n")
    assert json.loads(atp("store", "--json").out) == []


def test_the_stores_that_are_known(atp: Atp, earned: Path) -> None:
    result = atp("store")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [
        "channel  points  items  affordable",
        "Alpha     1,845      6           3",
        "",
        "1 store known, each as it was last read; `allthepoints store CHANNEL` reads one anew.",
    ]
    assert json.loads(atp("store", "--json").out) == [
        {"channel": "alpha", "id": "1", "currency": "acorns", "points": 1845, "items": 6, "affordable": 3, "wished": 0}
    ]


def test_a_store_is_read_anew(atp: Atp, errands: Errands, config: Path) -> None:
    config.parent.mkdir(parents=True)
    config.write_text('[[wish]]\nchannel = "alpha"\nitem = "VIP"\n')
    errands.items = (replace(MAP, cost=2000), HYDRATE, VIP)
    result = atp("store", "#Alpha")
    assert (result.code, result.err) == (0, "Reading alpha's store at StreamElements.\n")
    assert errands.asked == [("look", "alpha", {})]
    assert result.out.splitlines()[:7] == [
        "Alpha's store. You have 1,850 acorns (read just now).",
        "",
        "   item                  cost  when              stock  cooldown  notes",
        "   Sound                   50  now",
        "   sound                   60  turned off",
        "   Hydrate                100  now",
        "   =A key                 300  sold out              0            access code",
    ]
    assert "★  VIP                  5,000  in about 4 d 9 h" in result.out
    assert "   Pick the next map 🗺  2,000  in about 5 h          3    10 min  asks 1 question" in result.out


def test_json_is_the_contracts(atp: Atp, errands: Errands) -> None:
    result = atp("store", "alpha", "--json")
    found = json.loads(result.out)
    assert [item["cost"] for item in found] == sorted(item["cost"] for item in found)
    plain = next(item for item in found if item["id"] == MAP.id)
    assert plain == {
        "id": MAP.id,
        "name": "Pick the next map 🗺",
        "cost": 1500,
        "stock": 3,
        "cooldown_s": 600,
        "subscriber_only": False,
        "asks": ["Map name"],
        "affordable": True,
        "eta_s": 0,
        "wished": False,
        "enabled": True,
        "gone": False,
        "kind": "perk",
        "takes_message": True,
        "on_website": True,
    }
    vip = next(item for item in found if item["name"] == "VIP")
    assert (vip["affordable"], vip["eta_s"], vip["stock"]) == (False, 378_000, None)


def test_fc_49_what_is_gone_is_kept_and_shown_on_request(atp: Atp, earned: Path) -> None:
    assert "Once" not in atp("store", "alpha", "--cached").out
    assert "Once                    10  gone" in atp("store", "alpha", "--cached", "--all").out
    gone = [
        item["name"] for item in json.loads(atp("store", "alpha", "--cached", "--all", "--json").out) if item["gone"]
    ]
    assert gone == ["Once"]


def test_what_is_known_is_shown_without_asking(atp: Atp, errands: Errands) -> None:
    result = atp("store", "alpha", "--cached")
    assert (result.code, result.err, errands.asked) == (0, "", [])
    assert result.out.startswith("Alpha's store. You have 1,845 acorns (read 2 min ago).\n")


def test_no_such_channel_at_streamelements(atp: Atp, errands: Errands) -> None:
    result = atp("store", "nosuch")
    assert (result.code, result.out) == (3, "")
    assert "error: StreamElements has no channel nosuch\n" in result.err


def test_streamelements_does_not_answer(atp: Atp, errands: Errands) -> None:
    errands.answers = False
    result = atp("store", "alpha")
    assert (result.code, result.out) == (4, "")
    assert "alpha's store could not be read at StreamElements" in result.err
    assert "`--cached` shows what was known before" in result.err


def test_a_running_service_is_asked(atp: Atp, earning: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service reads on while this waits."""
    service = Errands(earning)
    monkeypatch.setattr(fresh, "LOOK_WITHIN", 5.0)

    def pause(seconds: float) -> None:
        assert requests(earning) == [("look", "alpha", "{}")]
        service.write(*service.records("look", "alpha", {}))  # type: ignore[arg-type]

    monkeypatch.setattr(fresh, "pause", pause)
    result = atp("store", "alpha")
    assert result.code == 0
    assert result.out.startswith("Alpha's store. You have 1,850 acorns")


def test_a_service_that_was_started_meanwhile_is_asked_too(
    atp: Atp, errands: Errands, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def taken(*args: object) -> None:
        raise AlreadyRunning("it runs")

    monkeypatch.setattr("allthepoints.wiring.errand", taken, raising=False)
    assert atp("store", "alpha").code == 4
    assert requests(errands.data) == [("look", "alpha", "{}")]


def requests(data: Path) -> list[tuple[Any, ...]]:
    class Requests(Reader):
        def all(self) -> list[tuple[Any, ...]]:
            return self._read(lambda db: list(db.execute("SELECT kind, login, data FROM requests")), [])

    return Requests(data / "allthepoints.db").all()
