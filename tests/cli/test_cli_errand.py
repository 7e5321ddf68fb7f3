"""`store` and `redeem` with the real service against the sandbox, over sockets: where none runs, and where one does."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_home import Atp
from processes import read_until, started
from sandbox_thread import RunningSandbox, running_sandbox

from allthepoints.core import plan_points
from allthepoints.sim.scenario import Broadcast, ChannelPlan, ItemPlan, LoyaltyPlan, Scenario

STORE = (
    ItemPlan("Hydrate", 100, id="64b0c1d2e3f4a5b6c7d8e9f1"),
    ItemPlan("Pick the next map 🗺", 1500, id="64b0c1d2e3f4a5b6c7d8e9f0", asks=("Map name",), takes_message=True),
    ItemPlan("Key", 200, id="64b0c1d2e3f4a5b6c7d8e9f5", type="code", total=2),
    ItemPlan("Rare", 10, id="64b0c1d2e3f4a5b6c7d8e9f6", total=3, left=0),
)
ALPHA = ChannelPlan(
    "alpha", broadcasts=(Broadcast(-60.0, 86_400.0),), loyalty=LoyaltyPlan(currency="acorns"), balance=1840, store=STORE
)


@pytest.fixture
def box(config: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSandbox]:
    monkeypatch.setattr(plan_points, "SETTLE_EVERY", 1.0)  # in this process; politeness is for StreamElements itself
    with running_sandbox(Scenario(channels=(ALPHA, ChannelPlan("plain", elements=False)))) as running:
        config.parent.mkdir(parents=True)
        config.write_text(running.config + '[dashboard]\nlisten = ""\n')
        access, refresh = running.call(lambda sandbox: sandbox.issue_tokens())
        monkeypatch.setenv("ALLTHEPOINTS_TWITCH_TOKEN", f"oauth:{access}")
        monkeypatch.setenv("ALLTHEPOINTS_TWITCH_REFRESH_TOKEN", refresh)
        monkeypatch.setenv("ALLTHEPOINTS_STREAMELEMENTS_JWT", running.call(lambda sandbox: sandbox.issue_jwt()))
        yield running


def test_a_store_where_no_service_ever_ran(atp: Atp, box: RunningSandbox) -> None:
    result = atp("store", "alpha", "--json")
    assert (result.code, result.err) == (0, "Reading alpha's store at StreamElements.\n")
    assert [(item["name"], item["affordable"]) for item in json.loads(result.out)] == [
        ("Rare", True),
        ("Hydrate", True),
        ("Key", True),
        ("Pick the next map 🗺", True),
    ]
    (points,) = json.loads(atp("points", "alpha", "--json").out)
    assert (points["points"], points["currency"], points["earned_total"]) == (1840, "acorns", 0)
    assert atp("store", "plain").err.endswith("error: StreamElements has no channel plain\n")
    assert atp("store", "alpha").code == 0, "and once more"


def test_fc_48_one_is_bought_where_no_service_runs(atp: Atp, box: RunningSandbox) -> None:
    checked = json.loads(atp("redeem", "alpha", "Hydrate", "--dry-run", "--json").out)
    assert (checked["state"], checked["dry_run"]) == ("checked", True)
    result = atp("redeem", "alpha", "Pick the next map 🗺", "--input", "Dust", "--message", "hi", "--yes", "--json")
    plain = json.loads(result.out)
    assert (result.code, plain["state"], plain["cost"]) == (0, "accepted", 1500)
    key = json.loads(atp("redeem", "alpha", "Key", "--yes", "--json").out)
    assert (key["state"], bool(key["access_code"])) == ("accepted", True)
    assert atp("redemptions", "show", key["id"]).out.splitlines()[1] == f"Access code: {key['access_code']}"
    sold_out = atp("redeem", "alpha", "Rare", "--yes", "--json")
    assert (sold_out.code, json.loads(sold_out.out)["reason"]) == (3, "sold_out")
    too_dear = atp("redeem", "alpha", "Pick the next map 🗺", "--input", "Dust", "--yes", "--json")
    assert (too_dear.code, json.loads(too_dear.out)["reason"]) == (3, "not_enough_points")
    states = [r["state"] for r in json.loads(atp("redemptions", "--json").out)]
    assert states == ["rejected", "rejected", "accepted", "accepted", "checked"]
    assert box.call(lambda sandbox: sandbox.tally()).protocol_errors == ()


def test_fc_48_booked_and_the_answer_lost_is_settled_by_reading(atp: Atp, box: RunningSandbox) -> None:
    box.fault("booked_no_answer", kind="reset")
    result = atp("redeem", "alpha", "Hydrate", "--yes", "--json")
    plain = json.loads(result.out)
    assert (result.code, plain["state"]) == (0, "accepted")
    assert "No clear answer came. It is not sent again; your redemptions are read.\n" in result.err
    tally = box.call(lambda sandbox: sandbox.tally())
    assert (tally.redemption_calls, len(tally.redemptions)) == (1, 1)


def doubt(atp: Atp, box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """The key of one that never arrived, and whose answer never came."""
    monkeypatch.setattr("allthepoints.cli.redeem.SETTLE", 0.0)
    box.fault("lost_before_booking", kind="reset")
    result = atp("redeem", "alpha", "Hydrate", "--yes", "--json")
    plain = json.loads(result.out)
    assert (result.code, plain["state"], plain["by_hand"]) == (4, "unknown", False)
    assert plain["account"]
    return str(plain["id"])


def test_fc_48_a_person_settles_one_where_no_service_runs(
    atp: Atp, box: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = doubt(atp, box, monkeypatch)
    early = atp("redemptions", "settle", key, "--not-taken", "--yes")
    assert (early.code, early.out) == (3, "")
    result = atp("redemptions", "settle", key, "--taken", "--yes", "--json")
    plain = json.loads(result.out)
    assert (result.code, plain["state"], plain["by_hand"]) == (0, "accepted", True)
    assert (json.loads(atp("redeem", "alpha", "Hydrate", "--yes", "--json").out))["state"] == "accepted", "free again"
    tally = box.call(lambda sandbox: sandbox.tally())
    assert (tally.redemption_calls, len(tally.redemptions)) == (2, 1)


def test_fc_48_a_person_settles_one_beside_a_running_service(
    atp: Atp, box: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started("run") as process:
        read_until(process, "In 1 of 1 live chat.")
        atp("store", "alpha")
        key = doubt(atp, box, monkeypatch)
        result = atp("redemptions", "settle", key, "--taken", "--yes", "--json")
        assert (result.code, json.loads(result.out)["by_hand"]) == (0, True)
        assert atp("redemptions", "settle", key, "--taken", "--yes").code == 3, "it is settled"
        process.terminate()
        process.communicate(timeout=60)
    tally = box.call(lambda sandbox: sandbox.tally())
    assert (tally.redemption_calls, len(tally.redemptions)) == (1, 0)


def test_a_running_service_is_asked(atp: Atp, box: RunningSandbox) -> None:
    with started("run") as process:
        read_until(process, "In 1 of 1 live chat.")
        assert json.loads(atp("store", "alpha", "--json").out)[0]["name"] == "Rare"
        result = atp("redeem", "alpha", "Hydrate", "--yes", "--json")
        assert (result.code, json.loads(result.out)["state"]) == (0, "accepted")
        first = atp("status").out.splitlines()[0]
        assert first.startswith("In 1 of 1 live chat.")
        row = json.loads(atp("points", "alpha", "--json").out)[0]
        assert (row["verdict"], row["causes"]) == ("early", ["list_lags"])
        process.terminate()
        process.communicate(timeout=60)
    assert len(box.call(lambda sandbox: sandbox.tally()).redemptions) == 1
