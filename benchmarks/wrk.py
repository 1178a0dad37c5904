"""The load: wrk with one thread, so that it takes as little of the machine as it can."""

import json
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks import programs

_SCRIPT = Path(__file__).with_name("invoke.lua")
_TIMEOUT_S = 10
"""For one answer; also what wrk may take longer than asked before it is ended."""


class LoadError(Exception):
    """wrk did not come to a result."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk came to."""

    callers: int
    requests: int
    seconds: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    failed: int
    """Answers that were no success, and calls without one."""
    generator_cpu_s: float
    """What wrk itself used of the machine."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def run(url: str, body: Path, callers: int, seconds: int, *, fresh: bool) -> Load:
    """Posts `body` to `url` from `callers` connections, each of which waits for its answer before it asks again.

    Args:
        url: Where to.
        body: A file with what is posted.
        callers: Number of connections.
        seconds: For how long.
        fresh: Whether every result is to be computed for its call; else the cache may answer.

    Raises:
        LoadError: when wrk fails or hangs.
    """
    command = [
        *(str(programs.find("wrk")), "-t1", f"-c{callers}", f"-d{seconds}s", f"--timeout={_TIMEOUT_S}s"),
        *("--latency", "--script", str(_SCRIPT), url, "--", str(body)),
        *(("fresh",) if fresh else ()),
    ]
    before = _children_cpu_s()
    try:
        output = subprocess.run(  # noqa: S603 - wrk from the PATH, on our own URL
            command, capture_output=True, text=True, timeout=seconds + 3 * _TIMEOUT_S, check=True
        ).stdout
    except subprocess.SubprocessError as error:
        raise LoadError(f"wrk on {url}: {error}") from None
    line = next((line for line in output.splitlines() if line.startswith("RESULT ")), None)
    if line is None:
        raise LoadError(f"wrk on {url} gave no result:\n{output}")
    found = json.loads(line.removeprefix("RESULT "))
    return Load(
        callers=callers,
        requests=found["requests"],
        seconds=found["duration_us"] / 1e6,
        p50_ms=found["p50_us"] / 1e3,
        p90_ms=found["p90_us"] / 1e3,
        p99_ms=found["p99_us"] / 1e3,
        max_ms=found["max_us"] / 1e3,
        failed=found["refused"] + found["broken"],
        generator_cpu_s=_children_cpu_s() - before,
    )


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
