"""The scanner and the session beside a full parse of every line, led by coverage: atheris, where it is installed.

    python bench/fuzz_guided.py [--runs N] [--record]

Chance alone (`fuzz.py lines`) is quicker by far; atheris sees which bytes lead to code that was not reached before, and
goes on from there. It begins with the lines of tests/wire and the commands and tags we know. The first byte of what it
tries says where the rest is cut. A difference ends it with 1; atheris tells the bytes that led there.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bounded
import revision
import table

try:
    import atheris  # type: ignore[import-not-found]
except ImportError:
    atheris = None
else:
    with atheris.instrument_imports(include=["allthepoints.irc"]):
        import fuzz_chat

LONGEST = 4096


def once(data: bytes) -> None:
    """One conversation. Raises fuzz_chat.Difference."""
    if not data:
        return
    step, welcomed = 1 + data[0] % 64, data[0] < 192
    pair = fuzz_chat.Pair(welcomed=welcomed)
    for start in range(1, len(data), step * 8):
        pair.feed(data[start : start + step * 8])
        if pair.over:
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--record", action="store_true", help="write docs/results/NAME.json, and docs/results.md from it"
    )
    parser.add_argument("--into", type=Path, metavar="DIR", help="write NAME.json there, and no page")
    args = parser.parse_args()
    if atheris is None:
        table.left_out(
            "fuzz_guided", "atheris is not installed here (pip install atheris; Linux, CPython 3.11 to 3.13)"
        )
        sys.exit(1 if args.record else 0)
    if args.record:
        bounded.begin()
        revision.commit()
        sys.exit(_recorded(args))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, line in enumerate(fuzz_chat.recorded()):
            (corpus / f"{number}").write_bytes(b"\x3f" + line + b"\r\n")
        words = folder / "words"
        words.write_text("".join(f'"{_escaped(piece)}"\n' for piece in sorted({*fuzz_chat.PIECES}) if len(piece) < 40))
        options = [
            f"-runs={args.runs}",
            f"-seed={args.seed}",
            f"-max_len={LONGEST}",
            f"-max_total_time={bounded.HOURS * 3600:.0f}",  # the alarm is libFuzzer's own, for -timeout
            "-timeout=20",
            "-rss_limit_mb=1024",
        ]
        atheris.Setup([sys.argv[0], *options, f"-dict={words}", f"-artifact_prefix={folder}/", str(corpus)], once)
        atheris.Fuzz()


def _recorded(args: argparse.Namespace) -> int:
    """Another process does it, for atheris ends the one it runs in. Its own words say how far it came."""
    import results  # here, for atheris must see the program's modules first

    call = [sys.executable, __file__, "--runs", str(args.runs), "--seed", str(args.seed)]
    done = subprocess.run(call, stderr=subprocess.PIPE, text=True, check=False)
    print(done.stderr[-2000:], file=sys.stderr)
    if done.returncode:
        return done.returncode
    told = r"^#(\d+)\s.*?cov: (\d+) ft: \d+ corp: (\d+)"
    runs, places, kept = re.findall(told, done.stderr, re.MULTILINE)[-1]
    args.into = args.into or results.FOLDER
    return results.finish(
        args,
        "fuzz_guided",
        "Conversations that coverage led to",
        [
            results.Figure(
                "Conversations tried, each told as a full parse tells it", "", [int(runs)], at_least=args.runs
            ),
            results.Figure("Places in the code that were reached", "", [int(places)]),
            results.Figure("Conversations kept, for each led somewhere new", "", [int(kept)]),
            results.Figure("Crashes, hangs, forged or missed events", "", [0], at_most=0, every=True),
        ],
        notes=["A find ends the run before anything is recorded, and becomes a test."],
        packages=["atheris"],
    )


def _escaped(piece: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in piece)


if __name__ == "__main__":
    main()
