"""Install the named dependency groups of pyproject.toml into this environment, pinned by constraints.txt."""

import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
sys.exit(
    subprocess.call(
        [*pip, "-c", str(ROOT / "constraints.txt"), *(one for name in sys.argv[1:] for one in groups[name])]
    )
)
