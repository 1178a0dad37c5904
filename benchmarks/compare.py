"""This checkout against another, in one run: `make bench-compare OTHER=folder`; `python -m benchmarks.compare --help`.

Both meshes run at once and are loaded by turns, this, the other, the other, this: so a busy minute falls on both, and
so does being first. What counts is the median over the rounds of this checkout's figure divided by the other's in the
same round. A checkout measured against its own copy shows how far that can be trusted.
"""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks import answers, mesh, programs, rounds, summary, targets
from benchmarks.options import ROOT, SHARED
from benchmarks.rounds import Run, Target
from benchmarks.tables import table
from benchmarks.targets import MANY, ONE
from benchmarks.wrk import LoadError

_OTHER = ", the other"

_SERVE = """
import json, sys
from pathlib import Path
from benchmarks import mesh
with mesh.stack(Path(sys.argv[1])) as running:
    print(json.dumps({"url": running.url, "parts": mesh.parts(running)}), flush=True)
    sys.stdin.read()
"""
"""Run in the other checkout, by its own Python."""

_STOP_S = 60


def main() -> int:
    """Measures, prints a table and returns the exit status: 0, 1 for failed calls, 2 for what is missing."""
    chosen = _parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        programs.find("wrk")
        programs.check_document(chosen.document)
        runs = _measure(chosen)
    except programs.MissingError as error:
        print(error, file=sys.stderr)
        return 2
    except (answers.AnswerError, LoadError) as error:
        print(error, file=sys.stderr)
        return 1
    print("", _report(runs), "", sep="\n")
    return 1 if any(run.load.failed for run in runs) else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("other", type=Path, help="another checkout, set up with `deploy/local/setup.sh dev`")
    parser.add_argument("--rounds", type=int, default=7, help="how often each run is made (default 7)")
    parser.add_argument("--seconds", type=int, default=3, help="length of each run in seconds (default 3)")
    parser.add_argument(
        "--document",
        type=Path,
        default=SHARED / "corpus" / "mixed" / "002-trivial-libre-office-writer.pdf",
        help="the PDF that PDF_METADATA is asked about",
    )
    parser.add_argument("--only", help="measure one target alone, by its name")
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench" / "compare", help="where state goes")
    return parser.parse_args()


def _measure(chosen: argparse.Namespace) -> list[Run]:
    with ExitStack() as running:
        folders = [chosen.work / name for name in ("this", "other")]
        this = running.enter_context(mesh.stack(folders[0]))
        url, parts = running.enter_context(_serving(chosen.other.resolve(), folders[1]))
        ours = targets.of_mesh(this.url, mesh.parts(this), chosen.document, folders[0])
        theirs = targets.of_mesh(url, parts, chosen.document, folders[1])
        asked: list[Target] = []
        for mine, other in zip(ours, theirs, strict=True):
            if chosen.only in (None, mine.name):
                theirs_named = replace(other, name=other.name + _OTHER)
                asked += [mine, theirs_named, theirs_named, mine]
        rounds.warm_up(asked, MANY, 3)
        return rounds.measure(
            asked,
            callers=(MANY, ONE),
            rounds=chosen.rounds,
            seconds=chosen.seconds,
            say=lambda line: print(line, flush=True),
        )


@contextmanager
def _serving(checkout: Path, folder: Path) -> Iterator[tuple[str, dict[str, int]]]:
    """The other checkout's mesh for as long as the block lasts: its address, and its parts' process ids."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    python = checkout / ".venv" / "bin" / "python"
    if not python.exists():
        raise programs.MissingError(f"{checkout} is not set up. In it: deploy/local/setup.sh dev")
    process = subprocess.Popen(  # noqa: S603 - the other checkout's own Python
        [str(python), "-c", _SERVE, str(folder.resolve())],
        cwd=checkout,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout  # noqa: S101, PT018 - they were asked for; mypy cannot know
    try:
        line = process.stdout.readline()
        if not line:
            raise programs.MissingError(f"The mesh of {checkout} did not start; see the lines above.")
        told = json.loads(line)
        yield told["url"], told["parts"]
    finally:
        process.stdin.close()
        process.wait(_STOP_S)


def _report(runs: Sequence[Run]) -> str:
    header = ["this against the other, medians of the rounds' ratios", "callers", "CPU a call", "req/s", "p50"]
    rows = []
    for name in dict.fromkeys(run.target for run in runs if not run.target.endswith(_OTHER)):
        for callers in (MANY, ONE):
            ratios = (_ratio(runs, name, callers, value) for value in (_cpu_a_call, _rate, _p50))
            rows.append([name, str(callers), *(f"{ratio:.3f}" for ratio in ratios)])
    return "\n\n".join([table(header, rows), *(_by_part(runs, callers) for callers in (MANY, ONE))])


def _by_part(runs: Sequence[Run], callers: int) -> str:
    """Where the CPU of a call goes, in each of the two."""
    names = list(dict.fromkeys(run.target for run in runs))
    spent = {name: summary.figures(runs, name, callers, None).cpu_ms for name in names}
    parts = dict.fromkeys(part for each in spent.values() for part in each)
    rows = [[part, *(f"{spent[name].get(part, 0):.2f}" for name in names)] for part in parts]
    return table([f"CPU ms a call, {callers} callers", *names], rows)


def _ratio(runs: Sequence[Run], name: str, callers: int, value: Callable[[Run], float]) -> float:
    ours, theirs = (
        [value(run) for run in runs if run.target == each and run.load.callers == callers]
        for each in (name, name + _OTHER)
    )
    return median(sum(mine) / sum(other) for mine, other in zip(_by_round(ours), _by_round(theirs), strict=True))


def _by_round(values: Sequence[float]) -> Iterator[tuple[float, float]]:
    """The two runs that each round makes of a target."""
    return zip(values[::2], values[1::2], strict=True)


def _cpu_a_call(run: Run) -> float:
    return sum(used.own + used.children for used in run.cpu_s.values()) / run.load.requests


def _rate(run: Run) -> float:
    return run.load.rate


def _p50(run: Run) -> float:
    return run.load.p50_ms


if __name__ == "__main__":
    sys.exit(main())
