"""What processes use of the machine, read from /proc."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_MIB_IN_KIB = 1024


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds of a process so far."""

    own: float
    children: float
    """Of everything that descends from it or belongs to its session, ended ones included."""


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
    own_s: float
    ended_children_s: float


def cpu(leader: int) -> Cpu:
    """What a process and its family have used."""
    processes = _processes()
    children = sum(processes[pid].own_s + processes[pid].ended_children_s for pid in _children(leader, processes))
    first = processes.get(leader)
    return Cpu(first.own_s, first.ended_children_s + children) if first else Cpu(0, children)


def machine_cpu_s() -> float:
    """CPU seconds that the whole machine has used so far."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) * _TICK_S


def own_rss() -> float:
    """Memory of this process alone, in MiB."""
    return _memory([os.getpid()]).rss


def memory(leader: int) -> Memory:
    """Memory of a process and its family."""
    return _memory([leader, *_children(leader, _processes())])


def _memory(pids: Iterable[int]) -> Memory:
    rss = pss = 0
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
                name, _, rest = line.partition(":")
                if name == "Rss":
                    rss += int(rest.split()[0])
                elif name == "Pss":
                    pss += int(rest.split()[0])
    return Memory(rss / _MIB_IN_KIB, pss / _MIB_IN_KIB)


def _children(leader: int, processes: dict[int, _Process]) -> set[int]:
    found = {pid for pid, process in processes.items() if process.session == leader}
    while more := {pid for pid, each in processes.items() if each.parent in found | {leader}} - found:
        found |= more
    return found - {leader}


def _processes() -> dict[int, _Process]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
                user, system, ended_user, ended_system = map(int, fields[11:15])
                found[int(entry.name)] = _Process(
                    int(fields[1]), int(fields[3]), (user + system) * _TICK_S, (ended_user + ended_system) * _TICK_S
                )
    return found
