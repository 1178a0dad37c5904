"""What processes use of the machine, read from /proc."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in MiB."""

    rss: float
    """All pages that are mapped; those that several processes share count in each."""
    pss: float
    """The same with shared pages divided among those that share them, so that parts add up."""


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    session: int
    cpu_s: float
    """Its own, and that of its children that have ended."""


def family(leader: int) -> list[int]:
    """A process and everything that descends from it or belongs to its session, the leader first."""
    return _family(leader, _processes())


def cpu_s(groups: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """CPU seconds of each group of processes so far, with those of children that have ended."""
    processes = _processes()
    return {
        name: sum(processes[pid].cpu_s for pid in pids if pid in processes) for name, pids in groups.items()
    }


def machine_cpu_s() -> float:
    """CPU seconds that the whole machine has used so far."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) * _TICK_S


def memory(pids: Iterable[int]) -> Memory:
    """Memory of a group of processes."""
    rss = pss = 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    rss += int(rest.split()[0])
                elif name == "Pss":
                    pss += int(rest.split()[0])
    return Memory(rss / _KIB, pss / _KIB)


def _family(leader: int, processes: Mapping[int, _Process]) -> list[int]:
    found = [leader]
    for pid, process in sorted(processes.items()):
        if pid != leader and process.session == leader:
            found.append(pid)
    grown = True
    while grown:
        more = [pid for pid, process in processes.items() if process.parent in found and pid not in found]
        found += more
        grown = bool(more)
    return found


def _processes() -> dict[int, _Process]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                ticks = sum(map(int, fields[11:15]))  # user and system, its own and its ended children's
                found[int(entry.name)] = _Process(int(fields[1]), int(fields[3]), ticks * _TICK_S)
    return found
