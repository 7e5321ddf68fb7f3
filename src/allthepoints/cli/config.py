"""`config`: the settings in force, where they stand, and whether they can be used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from allthepoints.base.errors import ConfigError
from allthepoints.base.types import JSON
from allthepoints.cli import config_import, config_init, output
from allthepoints.cli.here import here
from allthepoints.cli.options import AsJson
from allthepoints.config.load import load
from allthepoints.config.paths import ConfigPath

app = typer.Typer(rich_markup_mode=None)
app.command("init")(config_init.init)
app.command("import")(config_import.import_file)


@app.callback()
def config() -> None:
    """The settings in force, where they stand, and whether they can be used."""


@app.command()
def show(context: typer.Context, as_json: AsJson = False) -> None:
    """The settings in force, defaults included, as TOML."""
    from allthepoints.config.show import to_plain, to_toml

    loaded = here(context).load()
    for warning in loaded.warnings:
        output.warn(warning)
    if as_json:
        output.say_json(to_plain(loaded.settings))
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
    data = where.data
    output.say_json(
        {
            "config": str(file),
            "exists": file.exists(),
            "data_dir": str(data.path),
            "database": str(data.database),
            "tokens": str(data.tokens),
            "log": str(data.log),
        }
    )


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
            output.say_json(_verdict(chosen.path, (), str(error).split("\n")))
        raise
    if as_json:
        output.say_json(_verdict(chosen.path, warnings, ()))
        return
    for warning in warnings:
        output.warn(warning)
    if chosen.path.exists():
        output.say(f"{chosen.path}: can be used.")
    else:
        output.say(f"{chosen.path}: there is no such file yet; the defaults are used.")


def _verdict(path: Path, warnings: tuple[str, ...], errors: list[str] | tuple[str, ...]) -> JSON:
    return {
        "path": str(path),
        "exists": path.exists(),
        "ok": not errors,
        "warnings": list(warnings),
        "errors": list(errors),
    }
