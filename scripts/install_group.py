"""Install one dependency group of pyproject.toml into this environment, pinned by constraints.txt."""

import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"][sys.argv[1]]
pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
sys.exit(subprocess.call([*pip, "-c", str(ROOT / "constraints.txt"), *group]))
