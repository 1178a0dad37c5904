"""What the rounds come to: medians, ratios within a round, and the goals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.rounds import Run


@dataclass(frozen=True, slots=True)
class Figures:
    """One target at one number of callers, over all rounds."""

    rate: float
    lowest_rate: float
    highest_rate: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    failed: int
    rate_ratio: float | None
    """Against the incumbent in the same round, the median over the rounds; nothing without an incumbent."""

    p50_ratio: float | None
    cpu_ms: Mapping[str, float]
    """CPU milliseconds a call, by part."""

    rate_per_cpu: float
    """Requests for each second of CPU that the target's parts used."""

    others_cores: float
    """Cores that other programs of the machine kept busy."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a version must reach."""

    text: str
    measured: float | None
    met: bool | None


def figures(runs: Sequence[Run], target: str, callers: int, incumbent: str | None) -> Figures:
    """The figures of one target."""
    own = [run for run in runs if run.target == target and run.load.callers == callers]
    theirs = [run for run in runs if run.target == incumbent and run.load.callers == callers]

    def middle(value: Callable[[Run], float]) -> float:
        return median(map(value, own))

    def ratio(value: Callable[[Run], float]) -> float | None:
        return median(value(mine) / value(other) for mine, other in zip(own, theirs, strict=True)) if theirs else None

    return Figures(
        rate=middle(lambda run: run.load.rate),
        lowest_rate=min(run.load.rate for run in own),
        highest_rate=max(run.load.rate for run in own),
        p50_ms=middle(lambda run: run.load.p50_ms),
        p90_ms=middle(lambda run: run.load.p90_ms),
        p99_ms=middle(lambda run: run.load.p99_ms),
        failed=sum(run.load.failed for run in own),
        rate_ratio=ratio(lambda run: run.load.rate),
        p50_ratio=ratio(lambda run: run.load.p50_ms),
        cpu_ms=_cpu_ms(own),
        rate_per_cpu=middle(lambda run: run.load.requests / max(_cpu_s(run), 0.01)),
        others_cores=middle(lambda run: run.others_cpu_s / run.wall_s),
    )


def at_least(text: str, measured: float | None, bound: float) -> Goal:
    """A goal that a higher figure meets."""
    return Goal(text, measured, None if measured is None else measured >= bound)


def at_most(text: str, measured: float | None, bound: float) -> Goal:
    """A goal that a lower figure meets."""
    return Goal(text, measured, None if measured is None else measured <= bound)


def _cpu_s(run: Run) -> float:
    return sum(used.own + used.children for used in run.cpu_s.values())


def _cpu_ms(runs: Sequence[Run]) -> dict[str, float]:
    """CPU milliseconds a call; the children of a part stand by themselves where they did anything."""
    found = {}
    for name in runs[0].cpu_s:
        found[name] = median(run.cpu_s[name].own / run.load.requests * 1e3 for run in runs)
        children = median(run.cpu_s[name].children / run.load.requests * 1e3 for run in runs)
        if children:
            found[f"{name}, its children"] = children
    return found
