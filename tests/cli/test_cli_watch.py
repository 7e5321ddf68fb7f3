"""`watch` where it cannot be: no terminal, or one that can only be written to line by line."""

import io

import pytest
from cli_home import Atp

from allthepoints.cli.watch import unfit


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch, term: str, *streams: str) -> None:
    for name in streams:
        monkeypatch.setattr(f"sys.{name}", Tty())
    monkeypatch.setenv("TERM", term)


def test_without_a_terminal_it_names_what_does_instead(atp: Atp) -> None:
    result = atp("watch")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(
        "error: `watch` needs a terminal, and its input is none\n\nhint: `allthepoints status`"
    )
    assert "`allthepoints run --plain`" in result.err


@pytest.mark.parametrize(
    ("term", "streams", "named", "reason"),
    [
        ("xterm-256color", ("stdin", "stdout", "stderr"), True, ""),
        ("dumb", ("stdin", "stdout", "stderr"), True, "TERM is 'dumb'"),
        ("", ("stdin", "stdout", "stderr"), True, "TERM is ''"),
        ("", ("stdin", "stdout", "stderr"), False, ""),
        ("xterm", ("stdin", "stderr"), True, "its output is none"),
        ("xterm", ("stdin", "stdout"), True, "its error output is none"),
    ],
)
def test_fc_35_what_a_terminal_must_be(
    monkeypatch: pytest.MonkeyPatch, term: str, streams: tuple[str, ...], named: bool, reason: str
) -> None:
    terminal(monkeypatch, term, *streams)
    for name in {"stdin", "stdout", "stderr"} - set(streams):
        monkeypatch.setattr(f"sys.{name}", io.StringIO())
    assert unfit(named) == reason


def test_a_config_that_cannot_be_used_is_told_first(
    atp: Atp, config: object, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from allthepoints.base.errors import ConfigError
    from allthepoints.cli.here import Here
    from allthepoints.cli.watch import app_for

    with pytest.raises(ConfigError):
        app_for(Here(config_flag="/nowhere/config.toml"))
