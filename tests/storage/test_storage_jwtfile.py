"""The file of the StreamElements JWT."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from allthepoints.base.errors import FaultError
from allthepoints.base.secret import Secret
from allthepoints.config.paths import DataDir
from allthepoints.storage.jwtfile import JwtFile

CANARY = "canary.canary.canary"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return DataDir(tmp_path).jwt


def test_it_is_kept_for_its_owner_only(path: Path) -> None:
    assert path.name == "streamelements-token.json"
    file = JwtFile(path)
    assert file.load() is None
    file.save(Secret(CANARY))
    assert JwtFile(path).load() == Secret(CANARY)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()) == {"jwt": CANARY}
    file.save(Secret("other"))
    assert file.load() == Secret("other")
    file.forget()
    file.forget()
    assert not path.exists()
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"jwt":7}', b'{"jwt":""}', b"{}", b'{"jwt":"cana', b"\xff", b"[" * 100_000]
)
def test_fc_33_a_damaged_one_is_set_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    file = JwtFile(path)
    assert file.load() is None
    assert not path.exists()
    (aside,) = path.parent.iterdir()
    assert aside.name.startswith("streamelements-token.json.unreadable-")
    assert aside.read_bytes() == content
    (warning,) = file.warnings
    assert aside.name in warning
    assert "allthepoints login streamelements" in warning
    assert "cana" not in warning


def test_fc_33_a_folder_in_its_place(path: Path) -> None:
    path.mkdir()
    for ask in (JwtFile(path).load, lambda: JwtFile(path).save(Secret(CANARY))):
        with pytest.raises(FaultError, match="is a folder") as caught:
            ask()
        assert CANARY not in str(caught.value)


def test_one_that_others_can_read_is_closed(path: Path) -> None:
    path.write_text(json.dumps({"jwt": CANARY, "later": 1}))
    path.chmod(0o644)
    file = JwtFile(path)
    assert file.load() == Secret(CANARY)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(file.warnings) == 1


def test_a_folder_that_cannot_be_written() -> None:
    """Tried as another user than the superuser, who may write anywhere."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from allthepoints.storage.jwtfile import JwtFile\n"
        "from allthepoints.base.errors import FaultError\n"
        "from allthepoints.base.secret import Secret\n"
        "if os.geteuid() == 0: os.chdir('/'); os.seteuid(65534)\n"
        "try: JwtFile(Path(sys.argv[1])).save(Secret(sys.argv[2]))\n"
        "except FaultError as error: print(error, '|', error.hint)\n"
    )
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to other users
        path = Path(folder) / "streamelements-token.json"
        path.parent.chmod(0o555)
        command = [sys.executable, "-c", code, str(path), CANARY]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        path.parent.chmod(0o755)
        assert not path.exists()
    assert done.stderr == ""
    assert "cannot be written" in done.stdout
    assert CANARY not in done.stdout
