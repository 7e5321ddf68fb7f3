"""The token file, the lock, and the atomic writes below them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allthepoints.base.errors import AlreadyRunning, FaultError
from allthepoints.base.files import set_aside, write_atomically
from allthepoints.base.secret import Secret
from allthepoints.base.types import Login, UserId
from allthepoints.ports import StoredTokens
from allthepoints.storage import lock as lock_module
from allthepoints.storage.lock import acquire, holder
from allthepoints.storage.tokenfile import TokenFile

PAIR = StoredTokens(
    Secret("T0"), Secret("R0"), "client", Login("me"), UserId("9"), ("chat:read", "user:read:follows"), 1.5, 2.25
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


secrets = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable()).map(Secret)
pairs = st.builds(
    StoredTokens,
    secrets,
    st.none() | secrets,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.none() | st.just(Login("me")),
    st.none() | st.just(UserId("9")),
    st.lists(st.sampled_from(["chat:read", "user:read:follows"])).map(tuple),
    st.floats(0, 2e9),
    st.none() | st.floats(0, 2e9),
    st.booleans(),
)


@settings(max_examples=30, deadline=None)
@given(pairs)
def test_tokens_come_back(tmp_path_factory: pytest.TempPathFactory, tokens: StoredTokens) -> None:
    file = TokenFile(tmp_path_factory.mktemp("tokens") / "tokens.json")
    file.save(tokens)
    assert file.load() == tokens
    assert file.warnings == []


def test_the_file_is_its_owners_from_the_first_byte(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: seen.append(os.fstat(handle).st_mode & 0o7777))
    old = os.umask(0)
    try:
        TokenFile(path).save(PAIR)
    finally:
        os.umask(old)
    assert seen[0] == 0o600
    assert len(seen) == 2  # the file, then its folder
    assert mode(path) == 0o600


def test_no_file_is_no_sign_in(path: Path) -> None:
    file = TokenFile(path)
    assert file.load() is None
    file.forget()
    file.save(PAIR)
    file.forget()
    assert file.load() is None
    assert list(path.parent.iterdir()) == []


def test_unknown_fields_are_a_later_versions(path: Path) -> None:
    TokenFile(path).save(PAIR)
    path.write_text(json.dumps({**json.loads(path.read_text()), "colour": "blue"}))
    assert TokenFile(path).load() == PAIR


def test_loose_modes_are_tightened(path: Path) -> None:
    TokenFile(path).save(PAIR)
    path.chmod(0o644)
    file = TokenFile(path)
    assert file.load() == PAIR
    assert mode(path) == 0o600
    assert file.warnings == [f"{path} could be read by others; now only by its owner"]


GOOD = json.dumps({"access": "T0", "refresh": "R0", "client_id": "c", "login": None, "user_id": None, "scopes": [],
                   "obtained_at": 1.0, "expires_at": None})  # fmt: skip

BAD: dict[str, bytes] = {
    "empty": b"",
    "half": GOOD[: len(GOOD) // 2].encode(),
    "cut_at_the_end": GOOD[:-1].encode(),
    "foreign": b'{"name": "T0"}',
    "list": b"[]",
    "null": b"null",
    "text": b"T0",
    "not_utf8": b'{"access": "\xff"}',
    "no_token": GOOD.replace('"T0"', '""').encode(),
    "wrong_type": GOOD.replace('"T0"', "5").encode(),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_fc_33_a_bad_token_file_is_set_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    file = TokenFile(path)
    assert file.load() is None
    aside = path.with_name("tokens.json.unreadable-20231114T221320Z")
    assert aside.read_bytes() == content
    assert len(file.warnings) == 1
    assert aside.name in file.warnings[0]
    assert "T0" not in file.warnings[0]
    file.save(PAIR)
    assert file.load() == PAIR


def test_fc_33_a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    for attempt in (TokenFile(path).load, lambda: TokenFile(path).save(PAIR)):
        with pytest.raises(FaultError, match="is a folder") as caught:
            attempt()
        assert "mount the data directory" in caught.value.hint
    with pytest.raises(FaultError):
        TokenFile(path).forget()


@pytest.mark.parametrize("call", ["open", "replace"])
def test_fc_33_a_place_that_cannot_be_written(path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Full, read-only: the old pair stays, no new file is left, the secret is in no message."""
    TokenFile(path).save(PAIR)
    real: Callable[..., int] = os.open

    def fail(target: object, *args: object) -> int:
        if call == "open" and not str(target).endswith(".new"):
            return real(target, *args)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(FaultError, match=r"cannot be written by user .*: No space left on device") as caught:
            TokenFile(path).save(StoredTokens(Secret("T1"), None, "c", None, None, (), 0.0, None))
    assert "T1" not in str(caught.value) + caught.value.hint
    assert TokenFile(path).load() == PAIR
    assert list(path.parent.iterdir()) == [path]


def test_fc_33_a_file_that_may_not_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    path.write_text(GOOD)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FaultError, match=rf"cannot be read by user {os.getuid()}: Permission denied"):
        TokenFile(path).load()


def test_what_a_killed_writer_left_is_removed(path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftover = path.with_name(f"tokens.json.{dead.pid}.new")
    leftover.write_text("T0")
    mine, living = path.with_name(f"tokens.json.{os.getpid()}.new"), path.with_name(f"tokens.json.{os.getppid()}.new")
    mine.write_text("T0")
    living.write_text("being written")
    other = path.with_name("tokens.json.draft.new")
    other.touch()
    TokenFile(path).save(PAIR)
    assert sorted(path.parent.iterdir()) == sorted([path, living, other])


def test_a_link_is_written_through_and_a_mode_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    write_atomically(link, b"new", 0o640)
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert mode(real) == 0o640


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    """Somebody who can write into the folder must not make us write elsewhere."""
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    (tmp_path / f"tokens.json.{os.getpid()}.new").symlink_to(victim)
    write_atomically(tmp_path / "tokens.json", b"ours")
    assert victim.read_text() == "theirs"


def test_set_aside_overwrites_nothing(tmp_path: Path) -> None:
    names = []
    for content in ("a", "b", "c"):
        path = tmp_path / "file"
        path.write_text(content)
        os.utime(path, (0, 0))
        names.append(set_aside(path).name)
    assert names == [f"file.unreadable-19700101T000000Z{end}" for end in ("", "-2", "-3")]


HOLD = (
    "import sys; from pathlib import Path; from allthepoints.storage.lock import acquire\n"
    "lock = acquire(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
)


def no_pause(seconds: float) -> None:
    """Tests do not wait."""


def test_fc_39_a_second_instance_is_refused_with_the_pid(tmp_path: Path) -> None:
    path = tmp_path / "allthepoints.lock"
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=rf"already runs on .* \(process {child.pid}\)") as caught:
            acquire(path, no_pause)
        assert caught.value.pid == holder(path) == child.pid
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
    assert path.read_text() == f"{child.pid}\n"  # stale, and nobody's
    assert holder(path) is None
    with acquire(path, no_pause):
        assert holder(path) == os.getpid()
    assert holder(path) is None
    assert path.read_text() == ""


def test_fc_39_within_one_process_too(tmp_path: Path) -> None:
    path = tmp_path / "allthepoints.lock"
    first = acquire(path)
    with pytest.raises(AlreadyRunning):
        acquire(path, no_pause)
    first.release()
    first.release()
    acquire(path).release()
    assert mode(path) == 0o600


def test_fc_39_a_look_does_not_keep_the_service_from_starting(tmp_path: Path) -> None:
    """`holder` has the lock for a moment; who finds it taken tries again."""
    path = tmp_path / "allthepoints.lock"
    path.write_text("123\n")
    looker = os.open(path, os.O_RDWR)
    assert lock_module._try_lock(looker, shared=True)
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            os.close(looker)

    with acquire(path, pause):
        assert len(pauses) == 2
        assert sum(pauses) < 0.05


def test_a_lock_that_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "allthepoints.lock"
    assert holder(path) is None
    path.mkdir()
    assert holder(path) is None
    with pytest.raises(FaultError, match="cannot be opened"):
        acquire(path, no_pause)
    text = tmp_path / "text"
    text.write_text("hello")
    with acquire(text, no_pause):
        assert holder(text) == os.getpid()
