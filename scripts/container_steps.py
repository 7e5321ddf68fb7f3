#!/usr/bin/env python3
"""Do the steps of packaging/Containerfile by hand, in a folder, without a container engine.

    scripts/container_steps.py FOLDER

Absolute paths of the container lie under FOLDER. Each stage begins with an empty one, so that what is not copied from
the stage before is not there. What an engine would do with layers, users and namespaces is not done; COPY --chown needs
root, and is left out without it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONTAINERFILE = ROOT / "packaging" / "Containerfile"


@dataclass
class Step:
    """One instruction. `flags`: `--from=build` as {"from": "build"}."""

    word: str
    text: str
    flags: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """Of a list in JSON (the exec form), or of a line."""
        words: list[str] = json.loads(self.text) if self.is_exec else shlex.split(self.text)
        return words

    @property
    def is_exec(self) -> bool:
        """Whether it needs no shell."""
        return self.text.startswith("[")


@dataclass
class Stage:
    """From one FROM to the next."""

    image: str
    name: str
    steps: list[Step]

    def last(self, word: str) -> Step:
        """The one that counts. Raises StopIteration where there is none."""
        return next(step for step in reversed(self.steps) if step.word == word)

    def all(self, word: str) -> list[Step]:
        """In their order."""
        return [step for step in self.steps if step.word == word]

    @property
    def env(self) -> dict[str, str]:
        """What ENV sets."""
        return dict(word.split("=", 1) for step in self.all("ENV") for word in step.words)


def read(path: Path = CONTAINERFILE) -> list[Stage]:
    """Its stages. Raises ValueError for what is not understood."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        word, _, rest = line.partition(" ")
        flags: dict[str, str] = {}
        while match := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
            flags[match[1]] = match[2]
            rest = rest[match.end() :]
        if word == "FROM":
            image, *name = rest.split()
            stages.append(Stage(image, name[1] if len(name) == 2 and name[0] == "AS" else "", []))
        elif not stages or not word.isupper():
            raise ValueError(line)
        else:
            stages[-1].steps.append(Step(word, rest, flags))
    return stages


class Builder:
    """Does the steps of `stages` with the container's root at `root`, and `python` as what the image brings."""

    def __init__(self, stages: list[Stage], root: Path, context: Path = ROOT, python: str = sys.executable) -> None:
        self.stages = stages
        self.root = root
        self._context = context
        self._python = python
        self._done: dict[str, Path] = {}

    def build(self) -> None:
        """All stages. The root is the last one's at the end."""
        for at, stage in enumerate(self.stages):
            self.root.mkdir(parents=True)
            self._stage(stage)
            if at + 1 < len(self.stages):
                aside = self.root.with_name(f"{self.root.name}-{stage.name or at}")
                self.root.rename(aside)
                self._done[stage.name] = aside
        for aside in self._done.values():
            shutil.rmtree(aside)

    def place(self, path: str) -> Path:
        """Where a path of the container lies."""
        return self.root / path.lstrip("/")

    def moved(self, text: str) -> str:
        """`text` with the container's own paths as they are here."""
        return re.sub(r"(?<![\w./-])/(?=(?:opt|build|data)\b)", f"{self.root}/", text)

    def environment(self) -> dict[str, str]:
        """Of a process in the container."""
        return {name: self.moved(value) for name, value in self.stages[-1].env.items()}

    def _stage(self, stage: Stage) -> None:
        here = self.root
        for step in stage.steps:
            if step.word == "WORKDIR":
                here = self.place(step.text)
                here.mkdir(parents=True, exist_ok=True)
            elif step.word == "COPY":
                self._copy(step, here)
            elif step.word == "RUN":
                self._run(step, here)

    def _run(self, step: Step, here: Path) -> None:
        command = re.sub(r"^python3\b", shlex.quote(self._python), self.moved(step.text))
        command = command.replace(" --no-cache-dir", "")  # for the size of the image; here the cache is the machine's
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
        subprocess.run(["/bin/sh", "-euc", command], cwd=here, env=kept, check=True, stdout=subprocess.DEVNULL)

    def _copy(self, step: Step, here: Path) -> None:
        *sources, target = step.words
        origin = self._done[step.flags["from"]] if "from" in step.flags else self._context
        goal = here / target if not target.startswith("/") else self.place(target)
        for source in sources:
            found = origin / source.lstrip("/")
            if found.is_dir():
                skip = shutil.ignore_patterns("__pycache__")
                shutil.copytree(found, goal, symlinks=True, dirs_exist_ok=True, ignore=skip)
            else:
                goal.mkdir(parents=True, exist_ok=True)
                shutil.copy2(found, goal / found.name)
        if "chmod" in step.flags:
            goal.chmod(int(step.flags["chmod"], 8))
        if "chown" in step.flags and os.geteuid() == 0:
            user, _, group = step.flags["chown"].partition(":")
            for path in (goal, *goal.rglob("*")):
                os.chown(path, int(user), int(group), follow_symlinks=False)


def main() -> int:
    """The command."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    builder = Builder(read(), Path(sys.argv[1]).resolve() / "container")
    builder.build()
    last = builder.stages[-1]
    print(" ".join([*last.last("ENTRYPOINT").words, *last.last("CMD").words]))
    for name, value in builder.environment().items():
        print(f"  {name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
