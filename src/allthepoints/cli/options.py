"""The option that all commands share, as Typer wants it."""

from __future__ import annotations

from typing import Annotated

import typer

from allthepoints.cli.globals import JSON_FLAG

AsJson = Annotated[bool, typer.Option(JSON_FLAG.name, help=JSON_FLAG.help)]
