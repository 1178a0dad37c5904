"""A run as people read it, as programs read it, and as docs/performance.md shows it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.processes import Memory
from benchmarks.profiling import Profile
from benchmarks.rounds import Run
from benchmarks.summary import Figures, Goal
from benchmarks.tables import table

_BEGIN = "<!-- written by make bench -->"
_END = "<!-- end of what make bench writes -->"
_SHOWN_PLACES = 15


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run found."""

    about: Mapping[str, str]
    """What was measured, when, on what machine, with which settings."""

    figures: Mapping[str, Mapping[int, Figures]]
    """By target and number of callers."""

    memory: Mapping[str, Mapping[str, Memory]]
    """By target and part, after the load."""

    goals: Sequence[Goal]
    runs: Sequence[Run]
    profiles: Sequence[Profile] = field(default_factory=tuple)

    @property
    def failed(self) -> int:
        """Calls that failed under load, of all targets."""
        return sum(run.load.failed for run in self.runs)

    def text(self) -> str:
        """The report in Markdown."""
        parts = [self._about(), *self._loads(), self._cpu(), self._memory(), self._goals()]
        return "\n\n".join(part for part in parts if part)

    def profile_text(self) -> str:
        """Where the parts spend their CPU."""
        return "\n\n".join(map(_profile_text, self.profiles))

    def write_json(self, path: Path) -> None:
        """Writes everything, every single run included."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def write_page(self, page: Path) -> None:
        """Puts the report between the marks of a page, when it has them."""
        content = page.read_text(encoding="utf-8")
        before, begin, rest = content.partition(_BEGIN)
        _, end, after = rest.partition(_END)
        if begin and end:
            page.write_text(f"{before}{begin}\n\n{self.text()}\n\n{end}{after}", encoding="utf-8")

    def _about(self) -> str:
        return "\n".join(f"- {name}: {value}" for name, value in self.about.items())

    def _loads(self) -> list[str]:
        callers = sorted({count for by_callers in self.figures.values() for count in by_callers}, reverse=True)
        return [self._load(count) for count in callers]

    def _load(self, callers: int) -> str:
        header = [
            f"{callers} caller{'s' * (callers > 1)}",
            *("req/s", "lowest", "highest", "p50 ms", "p90 ms", "p99 ms", "failed"),
            *("req/s ratio", "p50 ratio", "req per CPU s", "other load, cores"),
        ]
        rows = [[name, *_load_cells(by_callers[callers])] for name, by_callers in self.figures.items()]
        return table(header, rows)

    def _cpu(self) -> str:
        return "\n\n".join(
            table([f"CPU ms per call: {name}", *map(str, by_callers)], _cpu_rows(by_callers))
            for name, by_callers in self.figures.items()
        )

    def _memory(self) -> str:
        rows = [
            [f"{name}: {part}", f"{used.rss:.0f}", f"{used.pss:.0f}"]
            for name, parts in self.memory.items()
            for part, used in parts.items()
        ]
        return table(["memory, MiB", "RSS", "PSS"], rows)

    def _goals(self) -> str:
        if all(goal.measured is None for goal in self.goals):
            return ""
        rows = [
            [goal.text, f"{goal.measured:.2f}" if goal.measured is not None else "-", _word(met=goal.met)]
            for goal in self.goals
        ]
        return table(["goal", "measured", "reached"], rows)


def _load_cells(figures: Figures) -> list[str]:
    return [
        f"{figures.rate:.0f}",
        f"{figures.lowest_rate:.0f}",
        f"{figures.highest_rate:.0f}",
        *(f"{milliseconds:.2f}" for milliseconds in (figures.p50_ms, figures.p90_ms, figures.p99_ms)),
        f"{figures.failed}",
        *("-" if ratio is None else f"{ratio:.2f}" for ratio in (figures.rate_ratio, figures.p50_ratio)),
        f"{figures.rate_per_cpu:.0f}",
        f"{figures.others_cores:.2f}",
    ]


def _cpu_rows(by_callers: Mapping[int, Figures]) -> list[list[str]]:
    parts = dict.fromkeys(part for figures in by_callers.values() for part in figures.cpu_ms)
    rows = [[part, *(f"{figures.cpu_ms.get(part, 0):.2f}" for figures in by_callers.values())] for part in parts]
    return [*rows, ["all", *(f"{sum(figures.cpu_ms.values()):.2f}" for figures in by_callers.values())]]


def _word(*, met: bool | None) -> str:
    return {True: "yes", False: "no", None: "not measured"}[met]


def _profile_text(profile: Profile) -> str:
    rows = [
        [f"`{place.function}`", f"{place.own:.1%}", f"{place.total:.1%}"] for place in profile.places[:_SHOWN_PLACES]
    ]
    return table([f"{profile.part}, {profile.target}, {profile.samples} samples", "own", "with callees"], rows)
