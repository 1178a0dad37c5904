"""The measurement: each target in turn, round after round, so that a busy minute falls on all of them."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import answers, processes, wrk

_PAUSE_S = 0.5


@dataclass(frozen=True, slots=True)
class Target:
    """Something that answers POSTs."""

    name: str
    url: str
    body: Path
    """A file with what is posted."""

    parts: Mapping[str, int]
    """The process ids of what it consists of."""

    fresh: bool = True
    """Whether every result is to be computed for its call; else the cache may answer."""


@dataclass(frozen=True, slots=True)
class Run:
    """One target under load for a few seconds."""

    target: str
    load: wrk.Load
    cpu_s: Mapping[str, processes.Cpu]
    """What each part used during the run."""

    others_cpu_s: float
    """What the rest of the machine used: neither the target nor the load generator."""

    wall_s: float


def measure(
    targets: Sequence[Target], *, callers: Sequence[int], rounds: int, seconds: int, say: Callable[[str], None]
) -> list[Run]:
    """Loads each target with each number of callers in each round; the others stand idle meanwhile.

    Args:
        targets: What to measure, in this order within a round.
        callers: Numbers of connections.
        rounds: How often.
        seconds: How long each run takes.
        say: Is told how it goes.

    Raises:
        AnswerError: when an answer is wrong before or after the load.
    """
    found = []
    for number in range(1, rounds + 1):
        for count in callers:
            for target in targets:
                found.append(one(target, count, seconds))
                load = found[-1].load
                say(
                    f"round {number}/{rounds}  {target.name:<24} {count:>2} callers"
                    f" {load.rate:>8.0f} req/s   p50 {load.p50_ms:.2f} ms"
                )
    return found


def warm_up(targets: Sequence[Target], callers: int, seconds: int) -> None:
    """Loads each target for a moment and forgets the figures."""
    for target in targets:
        answers.post(target.url, target.body.read_bytes())
        wrk.run(target.url, target.body, callers, seconds, fresh=target.fresh)


def one(target: Target, callers: int, seconds: int) -> Run:
    """One run, between two answers that are looked at."""
    body = target.body.read_bytes()
    answers.post(target.url, body)
    time.sleep(_PAUSE_S)
    before, machine, own, started = _cpu(target), processes.machine_cpu_s(), _own_cpu_s(), time.perf_counter()
    load = wrk.run(target.url, target.body, callers, seconds, fresh=target.fresh)
    wall_s = time.perf_counter() - started
    after, machine, own = _cpu(target), processes.machine_cpu_s() - machine, _own_cpu_s() - own
    answers.post(target.url, body)
    used = {
        name: processes.Cpu(after[name].own - before[name].own, after[name].children - before[name].children)
        for name in before
    }
    known = sum(each.own + each.children for each in used.values()) + load.generator_cpu_s + own
    return Run(target.name, load, used, max(0.0, machine - known), wall_s)


def _cpu(target: Target) -> dict[str, processes.Cpu]:
    return {name: processes.cpu(pid) for name, pid in target.parts.items()}


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system
