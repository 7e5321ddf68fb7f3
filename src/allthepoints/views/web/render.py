"""Templates to HTML: one environment for pages and fragments. Everything that is shown is escaped."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from allthepoints.views.web.board import Board

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
"""`pages.py` adds its filters here."""

STATIC = Path(__file__).parent / "static"


def render(board: Board, template: str, **context: Any) -> str:
    """`template` with `context`; and with `base` (what stands before every path), `static('app.css')` (the address of
    a static file, which changes with its content), `board`."""
    return ENVIRONMENT.get_template(template).render(
        base=board.base_path, static=lambda name: static_url(board, name), board=board, **context
    )


def compile_all() -> None:
    """Have all templates ready; else the first page that needs one compiles it."""
    for template in ENVIRONMENT.list_templates():
        ENVIRONMENT.get_template(template)


def static_url(board: Board, name: str) -> str:
    """Where a static file is found: for ever the same content."""
    return f"{board.base_path}/static/{fingerprint(name)}/{name}"


@cache
def fingerprint(name: str) -> str:
    """Some digits that change with the file's content. Raises FileNotFoundError."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
