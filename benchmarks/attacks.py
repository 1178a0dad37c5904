"""What attacks on shared places cost another caller: `make bench-attacks`, or `python -m benchmarks.attacks --help`.

A caller with a cached question asks in peace, over HTTP and over gRPC, each time over a new connection, and uploads now
and then. Quiet seconds and seconds of attack take turns; each attack is compared with the quiet before and after it.
"""

import argparse
import asyncio
import hashlib
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, median

import httpx

from benchmarks import flood_mesh, machine, programs
from benchmarks.attackers import IDLE_CONNECTIONS, PLAIN_CONNECTIONS, SILENT_STREAMS, SLOW_UPLOADS, Attack
from benchmarks.options import ROOT
from benchmarks.tables import table
from deploy.local.hold import HeldError
from deploy.local.part import PartError
from deploy.local.parts import AUDIENCE
from deploy.local.ports import PortError
from deploy.local.redis_server import RedisMissingError
from deploy.local.stack import Stack
from envoy.binary import EnvoyNotFoundError
from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.people import api_keys, api_keys_file
from services.base import signature
from services.base.channel import open_channel
from services.base.errors import PapermeshError

ATTACKS = (SILENT_STREAMS, IDLE_CONNECTIONS, PLAIN_CONNECTIONS, SLOW_UPLOADS)

BOUND = 1.5
"""What the other caller's median latency may be multiplied by."""

HTTP, GRPC, UPLOAD = "cached, HTTP", "cached, gRPC", "upload"
_BOUNDED = (HTTP, GRPC)
_PER_SECOND = {HTTP: 1.5, GRPC: 5.0, UPLOAD: 0.5}
"""Below one actor's rates."""

_TIMEOUT_S = 20.0

_ATTACKERS = ("mallory-1", "mallory-2", "mallory-3")

_MISSING, _FAILED = 2, 1


@dataclass(slots=True)
class Times:
    """What the other caller met."""

    ms: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in _PER_SECOND})
    failed: Counter[str] = field(default_factory=Counter)

    def p50(self, kind: str) -> float:
        """The median of one kind of call, in milliseconds; without end when none was answered."""
        return median(self.ms[kind]) if self.ms[kind] else float("inf")


@dataclass(frozen=True, slots=True)
class Round:
    """One attack, with the quiet before and after it."""

    name: str
    before: Times
    during: Times
    after: Times
    met: dict[str, int]
    """What the attacker met, and how often."""

    def quiet_ms(self, kind: str) -> float:
        """The median without an attack."""
        return fmean((self.before.p50(kind), self.after.p50(kind)))

    def ratio(self, kind: str) -> float:
        """The median under the attack against the one without."""
        return self.during.p50(kind) / self.quiet_ms(kind)


class Caller:
    """The one who calls in peace."""

    def __init__(self, running: Stack, key: str, document: bytes) -> None:
        """Calls a mesh with an API key, about a document."""
        self._running = running
        self._document = document
        self._args = {"doc_ref": {"type": "UPLOAD", "sha256": hashlib.sha256(document).hexdigest()}}
        self._key = signature.read_key_file(running.key_file(flood_mesh.VICTIM))
        self._http = httpx.AsyncClient(
            base_url=running.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=_TIMEOUT_S,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        """Keeps no connection: each call knocks anew."""

    async def begin(self) -> None:
        """Uploads the document for both ways in, and has its answer cached.

        Raises:
            PapermeshError: what the mesh answered.
        """
        await flood_mesh.upload(self._running, flood_mesh.VICTIM, self._document)
        await self.run(3)

    async def run(self, seconds: float) -> Times:
        """Calls for some seconds, whatever the answers take."""
        times = Times()
        ways = {HTTP: self._by_http, GRPC: self._by_grpc, UPLOAD: self._upload}
        async with asyncio.TaskGroup() as tasks:
            for kind, way in ways.items():
                tasks.create_task(_evenly(kind, way, seconds, times))
        return times

    async def _by_http(self) -> str:
        body = {"action": "PDF_METADATA", "args": self._args}
        return await self._post("/mcp/invoke", content=json.dumps(body).encode())

    async def _upload(self) -> str:
        return await self._post("/documents", content=self._document)

    async def _post(self, path: str, content: bytes) -> str:
        try:
            answer = await self._http.post(path, content=content)
            return "" if answer.is_success else str(answer.json()["error"]["code"])
        except (httpx.HTTPError, ValueError) as error:
            return type(error).__name__

    async def _by_grpc(self) -> str:
        tls_dir = flood_mesh.tls_dir(self._running, flood_mesh.VICTIM)
        try:
            async with open_channel(self._running.edge_address, tls_dir) as channel:
                client = DispatchClient(channel, lambda: self._key, AUDIENCE)
                await client.invoke("PDF_METADATA", self._args, flood_mesh.person())
        except PapermeshError as error:
            return error.code
        return ""


async def _evenly(kind: str, way: Callable[[], Awaitable[str]], seconds: float, times: Times) -> None:
    """Calls at an even pace, whether or not the call before has ended."""

    async def once() -> None:
        began = time.perf_counter()
        if code := await way():
            times.failed[f"{kind}: {code}"] += 1
        else:
            times.ms[kind].append((time.perf_counter() - began) * 1e3)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as calls:
        for number in range(max(1, int(seconds * _PER_SECOND[kind]))):
            await asyncio.sleep(max(0.0, began + number / _PER_SECOND[kind] - time.perf_counter()))
            calls.create_task(once())


def main() -> int:
    """Runs everything and returns the exit status: 0, 1 when a bound is broken, 2 for what is missing."""
    chosen = _parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_FAILED))
    try:
        programs.check_document(chosen.document)
        keys_file = chosen.work / "api-keys.json"
        keys = _new_keys(keys_file)
        settings = {"PAPERMESH_AUTH": "api-keys", "PAPERMESH_API_KEYS_FILE": str(keys_file)}
        with flood_mesh.stack(chosen.work, settings) as running:
            found = asyncio.run(_measure(running, keys, chosen))
    except (programs.MissingError, EnvoyNotFoundError, RedisMissingError) as error:
        print(error, file=sys.stderr)
        return _MISSING
    except (PartError, HeldError, PortError, PapermeshError) as error:
        print(error, file=sys.stderr)
        return _FAILED
    print("", _report(found, chosen.seconds), "", sep="\n")
    kept = all(_middle(found, name, kind) <= BOUND for name in chosen.attacks for kind in _BOUNDED)
    return 0 if kept and not any(each.during.failed for each in found) else _FAILED


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attacks", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"of {', '.join(ATTACKS)} (default all)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each attack is made (default 1)")
    parser.add_argument("--seconds", type=int, default=60, help="length of each attack (default 60)")
    parser.add_argument("--quiet", type=int, default=20, help="length of each quiet in seconds (default 20)")
    parser.add_argument(
        "--document", type=Path, default=ROOT / "samples" / "leave-policy.pdf", help="the PDF that is asked about"
    )
    parser.add_argument("--work", type=Path, default=ROOT / "var" / "bench" / "attacks", help="where state goes")
    chosen = parser.parse_args()
    if unknown := set(chosen.attacks) - set(ATTACKS):
        parser.error(f"no such attack: {', '.join(sorted(unknown))}")
    chosen.attacks = chosen.attacks or list(ATTACKS)
    return chosen


def _new_keys(path: Path) -> dict[str, str]:
    """API keys of the people, by their names."""
    keys = {name: api_keys.new_api_key() for name in ("alice", *_ATTACKERS)}
    with api_keys_file.changing(path) as entries:
        entries[:] = [api_keys_file.ApiKey(name, name, api_keys.digest(key), None) for name, key in keys.items()]
    return keys


async def _measure(running: Stack, keys: dict[str, str], chosen: argparse.Namespace) -> list[Round]:
    caller = Caller(running, keys["alice"], chosen.document.read_bytes())
    await caller.begin()
    found, before = [], await caller.run(chosen.quiet)
    for number in range(1, chosen.rounds + 1):
        for name in chosen.attacks:
            attack = Attack(
                name,
                chosen.seconds,
                running.url,
                running.edge_address,
                str(flood_mesh.tls_dir(running, flood_mesh.FLOODER)),
                tuple(keys[each] for each in _ATTACKERS),
            )
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.attackers", json.dumps(asdict(attack))),
                stdout=asyncio.subprocess.PIPE,
            )
            assert process.stdout  # noqa: S101 - it was asked for; mypy cannot know
            await process.stdout.readline()  # it has begun
            during = await caller.run(chosen.seconds)
            met = json.loads(await process.stdout.read() or "{}")
            await process.wait()
            after = await caller.run(chosen.quiet)
            found.append(Round(name, before, during, after, met))
            ratios = ", ".join(f"{kind} {found[-1].ratio(kind):.2f}" for kind in _PER_SECOND)
            print(f"round {number}/{chosen.rounds}  {name:<17} p50 ratio: {ratios}", flush=True)
            print(f"    failed: {dict(during.failed) or 'none'}; the attacker met {met}", flush=True)
            before = after
    return found


def _middle(found: list[Round], name: str, kind: str) -> float:
    return median(each.ratio(kind) for each in found if each.name == name)


def _report(found: list[Round], seconds: float) -> str:
    about = {
        "measured": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        **machine.describe(),
        "load": f"{seconds} s of each attack",
        "the caller": ", ".join(f"{kind}: {pace:g} new connections a second" for kind, pace in _PER_SECOND.items()),
    }
    rows = []
    for name in dict.fromkeys(each.name for each in found):
        own = [each for each in found if each.name == name]
        for kind in _PER_SECOND:
            failed = sum(count for each in own for what, count in each.during.failed.items() if what.startswith(kind))
            quiet = median(each.quiet_ms(kind) for each in own)
            during = median(each.during.p50(kind) for each in own)
            rows.append(
                [f"{name}: {kind}", f"{quiet:.2f}", f"{during:.2f}", f"{_middle(found, name, kind):.2f}", str(failed)]
            )
    header = ["attack: the other's call", "p50 ms quiet", "attack", "p50 ratio", "failed"]
    return "\n\n".join(["\n".join(f"- {name}: {value}" for name, value in about.items()), table(header, rows)])


if __name__ == "__main__":
    sys.exit(main())
