"""`config`: the settings in force, where they stand, and whether they can be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from allthepoints.base.errors import ConfigError
from allthepoints.cli import config_import, config_init, output
from allthepoints.cli.here import Here, here
from allthepoints.cli.options import AsJson
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath
from allthepoints.config.settings import LISTS, SECTIONS, Settings, keys_of
from allthepoints.config.show import section_plain, to_toml
from allthepoints.views.plain import Field, Shape


def _section(name: str) -> Field[Settings]:
    """One section, all of its keys in it."""
    return Field(
        name,
        "list of objects" if name in LISTS else "object",
        f"[Its keys](../config.md#{name}): {', '.join(f'`{key}`' for key in keys_of(name))}.",
        lambda settings: section_plain(settings, name),
    )


CONFIG: Shape[Settings] = Shape(
    "The settings in force",
    "`config show --json`, defaults included; addresses of notifications are `***`",
    tuple(map(_section, SECTIONS)),
)

PLACES: Shape[Here] = Shape(
    "Where things are",
    "`config path --json`",
    (
        Field("config", "str", "The config file.", lambda where: str(where.config.path)),
        Field("exists", "bool", "Whether it is there; else defaults are used.", lambda it: it.config.path.exists()),
        Field("data_dir", "str", "The data directory.", lambda where: str(where.data.path)),
        Field("database", "str", "What was recorded.", lambda where: str(where.data.database)),
        Field("tokens", "str", "The sign-in at Twitch. It is secret.", lambda where: str(where.data.tokens)),
        Field("log", "str", "The log.", lambda where: str(where.data.log)),
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of a config came to."""

    path: Path
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


VERDICT: Shape[Verdict] = Shape(
    "A checked config",
    "`config check --json`",
    (
        Field("path", "str", "The file.", lambda verdict: str(verdict.path)),
        Field("exists", "bool", "Whether it is there; else defaults are used.", lambda verdict: verdict.path.exists()),
        Field("ok", "bool", "Whether it can be used. The exit code says the same.", lambda verdict: not verdict.errors),
        Field("warnings", "list of str", "What is odd in it.", lambda verdict: list(verdict.warnings)),
        Field("errors", "list of str", "What is wrong, with line and cure.", lambda verdict: list(verdict.errors)),
    ),
)

app = typer.Typer(rich_markup_mode=None)
app.command("init")(config_init.init)
app.command("import")(config_import.import_file)


@app.callback()
def config() -> None:
    """The settings in force, where they stand, and whether they can be used."""


@app.command()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """The settings in force, defaults included, as TOML."""
    loaded = here(context).load()
    for warning in loaded.warnings:
        output.warn(warning)
    if as_json:
        output.say_json(CONFIG.of(loaded.settings))
    else:
        output.say(to_toml(loaded.settings).rstrip())


@app.command()
def path(context: typer.Context, as_json: AsJson = False) -> None:
    """Where the config file is."""
    where = here(context)
    file = where.config.path
    if not as_json:
        output.say(str(file))
        if not file.exists():
            output.note("There is no such file yet; the defaults are used.")
        return
    output.say_json(PLACES.of(where))


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Another file than the one in use.")] = None,
    as_json: AsJson = False,
) -> None:
    """Whether the config can be used. Exit code 2 if not."""
    chosen = ConfigPath(file.expanduser().absolute(), True) if file is not None else here(context).config
    try:
        warnings = load(chosen.path, chosen.named).warnings
    except ConfigError as error:
        if as_json:
            output.say_json(VERDICT.of(Verdict(chosen.path, errors=tuple(str(error).split("\n")))))
        raise
    if as_json:
        output.say_json(VERDICT.of(Verdict(chosen.path, warnings)))
        return
    for warning in warnings:
        output.warn(warning)
    if chosen.path.exists():
        output.say(f"{chosen.path}: can be used.")
    else:
        output.say(f"{chosen.path}: there is no such file yet; the defaults are used.")
