"""Measures Papermesh and the stack that it replaces, side by side: `make bench`, or `python -m benchmarks --help`."""

import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from benchmarks import (
    answers,
    incumbent,
    machine,
    mesh,
    options,
    processes,
    profiling,
    programs,
    rounds,
    summary,
    targets,
)
from benchmarks.environments import EnvironmentMissingError
from benchmarks.incumbent import Incumbent, IncumbentError
from benchmarks.options import ROOT, Options
from benchmarks.profiling import ProfileError
from benchmarks.report import Report
from benchmarks.rounds import Run, Target
from benchmarks.targets import BARE, CACHED, MANY, METADATA, ONE
from benchmarks.wrk import LoadError
from deploy.local.hold import HeldError
from deploy.local.part import PartError
from deploy.local.ports import PortError
from deploy.local.redis_server import RedisMissingError
from deploy.workloads import SERVICES
from envoy.binary import EnvoyNotFoundError

INCUMBENT = "incumbent (stub answers)"

_MISSING, _FAILED = 2, 1
_CANNOT_MEASURE = (IncumbentError, PartError, HeldError, PortError, answers.AnswerError, LoadError, ProfileError)


def main() -> int:
    """Runs everything and returns the exit status: 0, 1 for failed calls, 2 for what is missing."""
    chosen = options.parse()
    # As Ctrl-C does: what was started is stopped first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_FAILED))
    try:
        report = _run(chosen)
    except (programs.MissingError, EnvironmentMissingError, EnvoyNotFoundError, RedisMissingError) as error:
        print(error, file=sys.stderr)
        return _MISSING
    except _CANNOT_MEASURE as error:
        print(error, file=sys.stderr)
        return _FAILED
    print("", report.text(), "", sep="\n")
    if report.profiles:
        print(report.profile_text(), "", sep="\n")
    latest = chosen.work / "latest.json"
    report.write_json(latest)
    print(f"Every run is in {latest}.")
    if chosen.whole:
        report.write_page(ROOT / "docs" / "performance.md")
    if report.failed:
        print(f"{report.failed} calls failed under load.", file=sys.stderr)
        return _FAILED
    return 0


def _run(chosen: Options) -> Report:
    for program in ("wrk", "nginx", *(["redis-server"] if chosen.incumbent.exists() else [])):
        programs.find(program)
    if not chosen.bare_only:
        programs.check_document(chosen.document)
    with ExitStack() as running:
        papermesh = running.enter_context(mesh.stack(chosen.work / "papermesh", () if chosen.bare_only else SERVICES))
        document = None if chosen.bare_only else chosen.document
        asked = targets.of_mesh(papermesh.url, mesh.parts(papermesh), document, chosen.work)
        if chosen.incumbent.exists():
            theirs = running.enter_context(Incumbent(chosen.incumbent, chosen.work / "incumbent"))
            body = targets.body(chosen.work, "incumbent", {"action": "PDF_METADATA", "args": {}})
            asked.insert(0, Target(INCUMBENT, incumbent.URL, body, theirs.parts))
        rounds.warm_up(asked, MANY, chosen.warm_up)
        runs = rounds.measure(
            asked,
            callers=(MANY, ONE),
            rounds=chosen.rounds,
            seconds=chosen.seconds,
            say=lambda line: print(line, flush=True),
        )
        memory = {each.name: {name: processes.memory(pid) for name, pid in each.parts.items()} for each in asked}
        profiles = [
            profiling.profile(target, part, MANY, chosen.seconds, chosen.work / "profile")
            for target in asked
            for part in profiling.PYTHON_PARTS
            if chosen.profile and _takes_part(part, target)
        ]
    names = [target.name for target in asked]
    figures = {name: _figures(runs, name, INCUMBENT if INCUMBENT in names else None) for name in names}
    # The mesh is one, whatever is asked of it; its memory is shown once.
    memory = {name: parts for name, parts in memory.items() if name in (INCUMBENT, BARE)}
    memory = {name.replace(BARE, "Papermesh"): parts for name, parts in memory.items()}
    return Report(_about(chosen), figures, memory, _goals(figures), runs, profiles)


def _takes_part(part: str, target: Target) -> bool:
    """Whether a part of the mesh has anything to do for a target."""
    idle = {CACHED: ("bare", "pdf"), METADATA: ("bare",), BARE: ("pdf",)}
    return part in target.parts and part not in idle.get(target.name, ())


def _figures(runs: Sequence[Run], target: str, against: str | None) -> dict[int, summary.Figures]:
    return {callers: summary.figures(runs, target, callers, against) for callers in (MANY, ONE)}


def _goals(figures: dict[str, dict[int, summary.Figures]]) -> list[summary.Goal]:
    cached, metadata, bare = figures.get(CACHED), figures.get(METADATA), figures[BARE]
    return [
        summary.at_least(
            f"cached PDF_METADATA, {MANY} callers: at least 3.5 times the incumbent's req/s (aim: 5)",
            cached[MANY].rate_ratio if cached else None,
            3.5,
        ),
        summary.at_most(
            f"cached PDF_METADATA, {ONE} caller: a lower median latency than the incumbent's",
            cached[ONE].p50_ratio if cached else None,
            1.0,
        ),
        summary.at_least(
            f"PDF_METADATA, {MANY} callers: at least 1.0 times the incumbent's req/s",
            metadata[MANY].rate_ratio if metadata else None,
            1.0,
        ),
        summary.at_least(
            f"bare path, {MANY} callers: at least 2.0 times the incumbent's req/s", bare[MANY].rate_ratio, 2.0
        ),
        summary.at_most(
            f"bare path, {ONE} caller: at most 1.4 times the incumbent's median latency", bare[ONE].p50_ratio, 1.4
        ),
    ]


def _about(chosen: Options) -> dict[str, str]:
    return {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **machine.describe(),
        "load": f"wrk -t1, {chosen.rounds} rounds of {chosen.seconds} s for each line, medians over the rounds",
        "rates": f"PAPERMESH_RATE_SCALE={mesh.RATE_SCALE}, all limits evaluated for each call",
        "document": chosen.document.name,
    }


if __name__ == "__main__":
    sys.exit(main())
