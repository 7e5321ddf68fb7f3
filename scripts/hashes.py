"""Print the pins with hashes: what the package index of this machine gives, for this machine's Python and platform.

    .venv/bin/python scripts/hashes.py > constraints-hashes.txt
    pip install --require-hashes -r constraints-hashes.txt && pip install --no-deps .

From then on pip refuses every other file. docs/security.md tells why such a list is not in the repository.
Arguments: requirements, instead of those of pyproject.toml.
"""

import json
import pathlib
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPORT = ["install", "--quiet", "--disable-pip-version-check", "--dry-run", "--ignore-installed", "--report", "-"]


def wanted(requirements: list[str]) -> list[dict[str, object]]:
    """What pip would install for them, pinned by constraints.txt. Raises CalledProcessError."""
    pip = [sys.executable, "-m", "pip", *REPORT, "-c", str(ROOT / "constraints.txt"), *requirements]
    return json.loads(subprocess.run(pip, stdout=subprocess.PIPE, check=True).stdout)["install"]


def line(item: dict) -> str:
    """One requirement with the hash of its file. Raises KeyError where the index gave none."""
    name, version = item["metadata"]["name"], item["metadata"]["version"]
    return f"{name}=={version} --hash=sha256:{item['download_info']['archive_info']['hashes']['sha256']}"


def main() -> int:
    """Print them in the order of their names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    try:
        found = wanted(sys.argv[1:] or project["dependencies"])
    except subprocess.CalledProcessError as error:
        return error.returncode
    print("\n".join(sorted(map(line, found), key=str.lower)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
