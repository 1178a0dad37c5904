"""What a flood by one client costs another: `make bench-flood`, or `python -m benchmarks.flood --help`.

A client calls in peace and times its calls; quiet seconds and seconds of flood take turns, and each flood is compared
with the quiet seconds before and after it, so that a machine that has other things to do is so in both.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median

from benchmarks import flood_mesh, machine, programs, steady
from benchmarks.flooder import Flood, Flooded
from benchmarks.options import ROOT
from benchmarks.steady import CACHED, COMPUTED, Times
from benchmarks.tables import table
from deploy.local.hold import HeldError
from deploy.local.part import PartError
from deploy.local.parts import AUDIENCE
from deploy.local.ports import PortError
from deploy.local.redis_server import RedisMissingError
from deploy.local.stack import Stack
from envoy.binary import EnvoyNotFoundError
from services.base.errors import PapermeshError

TIMES = 50
"""How many times its rate the flooder sends."""

BOUND = 4 / 3
"""What another client's median latency may be multiplied by."""

_WHOLE = 0.9
"""How much of a flood must have been sent for its figures to mean anything."""

_ACTOR_PER_SECOND = 2
"""An actor's calls of PDF_METADATA; also Envoy's for what names no action."""

_ACTORS = 50

_MISSING, _FAILED = 2, 1


@dataclass(frozen=True, slots=True)
class Round:
    """One flood, with what the other client met before, during and after it."""

    name: str
    before: Times
    during: Times
    after: Times
    flooded: Flooded
    seconds: float
    asked: float
    """Calls that the flooder should have sent."""

    def quiet_ms(self, kind: str) -> float:
        """The median without a flood."""
        return fmean((self.before.p50(kind), self.after.p50(kind)))

    def ratio(self, kind: str) -> float:
        """The median under the flood against the one without."""
        return self.during.p50(kind) / self.quiet_ms(kind)


def main() -> int:
    """Runs everything and returns the exit status: 0, 1 when a bound is broken, 2 for what is missing."""
    chosen = _parse()
    # As Ctrl-C does: what was started is stopped first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_FAILED))
    try:
        programs.check_document(chosen.document)
        with flood_mesh.stack(chosen.work) as running:
            found = asyncio.run(_measure(running, chosen.document.read_bytes(), chosen.rounds, chosen.seconds))
    except (programs.MissingError, EnvoyNotFoundError, RedisMissingError) as error:
        print(error, file=sys.stderr)
        return _MISSING
    except (PartError, HeldError, PortError, PapermeshError) as error:
        print(error, file=sys.stderr)
        return _FAILED
    (chosen.work / "latest.json").write_text(json.dumps([asdict(each) for each in found]), encoding="utf-8")
    print("", _report(found), "", sep="\n")
    for name in _names(found):
        if (sent := _sent(found, name)) < _WHOLE:
            print(f"{name}: only {sent:.0%} of the flood could be sent. Measure on a calmer machine.", file=sys.stderr)
            return _FAILED
    kept = all(_middle(found, name, kind) <= BOUND for name in _names(found) for kind in (CACHED, COMPUTED))
    served = not any(times.failed for each in found for times in (each.before, each.during, each.after))
    return 0 if kept and served else _FAILED


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flood", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each flood is made (default 3)")
    parser.add_argument("--seconds", type=int, default=15, help="length of each flood and each quiet (default 15)")
    parser.add_argument(
        "--document", type=Path, default=ROOT / "samples" / "leave-policy.pdf", help="the PDF that is asked about"
    )
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench" / "flood", help="where state goes")
    return parser.parse_args()


async def _measure(running: Stack, document: bytes, rounds: int, seconds: float) -> list[Round]:
    actors = tuple(f"invented-{number}" for number in range(_ACTORS))
    theirs = await flood_mesh.upload(running, flood_mesh.FLOODER, document, ("", *actors))
    sha256 = await flood_mesh.upload(running, flood_mesh.VICTIM, document)
    floods = _floods(running, theirs, actors, seconds)
    await steady.run(running, sha256, 3)
    found, before = [], await steady.run(running, sha256, seconds)
    for number in range(1, rounds + 1):
        for name, flood in floods.items():
            async with _flooding(flood) as ended:
                during = await steady.run(running, sha256, seconds)
            flooded = Flooded(**json.loads(ended))
            after = await steady.run(running, sha256, seconds)
            found.append(Round(name, before, during, after, flooded, seconds, flood.per_second * seconds))
            ratios = ", ".join(f"{kind} {found[-1].ratio(kind):.2f}" for kind in (CACHED, COMPUTED))
            print(f"round {number}/{rounds}  {name:<17} p50 ratio: {ratios}   {flooded.codes}", flush=True)
            before = after
    return found


def _floods(running: Stack, sha256: str, actors: tuple[str, ...], seconds: float) -> dict[str, Flood]:
    plain = Flood(
        edge_address=running.edge_address,
        tls_dir=str(flood_mesh.tls_dir(running, flood_mesh.FLOODER)),
        key_file=str(running.key_file(flood_mesh.FLOODER)),
        audience=AUDIENCE,
        seconds=seconds,
        per_second=TIMES * _ACTOR_PER_SECOND,
        sha256=sha256,
    )
    return {
        "one action": plain,
        "invented actions": replace(plain, invented_actions=True),
        "invented actors": replace(plain, actors=actors, per_second=TIMES * flood_mesh.FLOODER_PER_SECOND),
    }


@asynccontextmanager
async def _flooding(flood: Flood) -> AsyncIterator[bytearray]:
    """Floods beside what the block does, and then knows what came of it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.flooder", json.dumps(asdict(flood))), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout  # noqa: S101 - it was asked for; mypy cannot know
    await process.stdout.readline()  # it has begun
    ended = bytearray()
    yield ended
    ended += await process.stdout.read()
    await process.wait()


def _names(found: list[Round]) -> list[str]:
    return list(dict.fromkeys(each.name for each in found))


def _middle(found: list[Round], name: str, kind: str) -> float:
    return median(each.ratio(kind) for each in found if each.name == name)


def _sent(found: list[Round], name: str) -> float:
    """How much of a flood was sent, as a part of what should have been."""
    own = [each for each in found if each.name == name]
    return sum(sum(each.flooded.codes.values()) for each in own) / sum(each.asked for each in own)


def _report(found: list[Round]) -> str:
    about = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **machine.describe(),
        "load": f"{steady.PER_SECOND} calls a second by the other client; {TIMES} times its rate by the flooder",
        "rates": "PAPERMESH_RATE_SCALE=1",
    }
    rows = [_row(found, name, kind) for name in _names(found) for kind in (CACHED, COMPUTED)]
    header = ["flood, the other's PDF_METADATA", "p50 ms quiet", "flood", "p50 ratio", "lowest", "highest"]
    floods = [_flood_row([each for each in found if each.name == name]) for name in _names(found)]
    parts = [name for name, used in found[0].before.cores.items() if used]
    cores = [["none", *_cores(parts, [each.before for each in found])]]
    cores += [[name, *_cores(parts, [each.during for each in found if each.name == name])] for name in _names(found)]
    lines = [f"- {name}: {value}" for name, value in about.items()]
    return "\n\n".join(
        [
            "\n".join(lines),
            table([*header, "p99 ms quiet", "flood", "failed"], rows),
            table(["what the flood came to", "calls/s", "served", "refused", "flooder, cores"], floods),
            table(["flood, cores that the mesh uses", *parts, "all"], cores),
        ]
    )


def _row(found: list[Round], name: str, kind: str) -> list[str]:
    own = [each for each in found if each.name == name]
    ratios = [each.ratio(kind) for each in own]
    return [
        f"{name}, {kind}",
        f"{median(each.quiet_ms(kind) for each in own):.2f}",
        f"{median(each.during.p50(kind) for each in own):.2f}",
        *(f"{ratio:.2f}" for ratio in (median(ratios), min(ratios), max(ratios))),
        f"{median(each.before.p99(kind) for each in own):.1f}",
        f"{median(each.during.p99(kind) for each in own):.1f}",
        str(sum(each.during.failed.total() for each in own)),
    ]


def _cores(parts: list[str], times: list[Times]) -> list[str]:
    used = [median(each.cores[part] for each in times) for part in parts]
    return [f"{each:.2f}" for each in (*used, sum(used))]


def _flood_row(own: list[Round]) -> list[str]:
    seconds = sum(each.seconds for each in own)
    sent = sum(sum(each.flooded.codes.values()) for each in own)
    refused = sum(each.flooded.codes.get("RATE_LIMIT", 0) for each in own)
    cores = sum(each.flooded.cpu_s for each in own) / seconds
    return [own[0].name, f"{sent / seconds:.0f}", str(sent - refused), str(refused), f"{cores:.2f}"]


if __name__ == "__main__":
    sys.exit(main())
