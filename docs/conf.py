"""The site of docs/: `make docs` builds it into docs/_site."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from allthepoints._version import __version__  # noqa: E402

project = "allthepoints"
author = "The allthepoints authors"
copyright = "The allthepoints authors, MIT licence"
version = release = __version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_site", "decisions/README.md"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # diagrams are shown as their source

html_theme = "furo"
html_title = "allthepoints"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {"top_of_page_buttons": []}
html_last_updated_fmt = None
