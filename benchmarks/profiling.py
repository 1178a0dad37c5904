"""Where a part spends its CPU: py-spy looks at it from outside while it is under load."""

import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks import environments, wrk
from benchmarks.rounds import Target

PYTHON_PARTS = ("adapter", "dispatch", "pdf", "bare")
_REQUIREMENTS = Path(__file__).with_name("profile.txt")
_SAMPLES_A_SECOND = 250
_MARGIN_S = 30


class ProfileError(Exception):
    """py-spy cannot look into a process."""


@dataclass(frozen=True, slots=True)
class Place:
    """A function, and its share of the samples in which the part was busy."""

    function: str
    own: float
    """With this function at the top; what grpc and other compiled code did for it included."""

    total: float
    """With this function anywhere on the stack."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One part under one load."""

    target: str
    part: str
    samples: int
    places: tuple[Place, ...]
    """The function with the largest own share first."""


def profile(target: Target, part: str, callers: int, seconds: int, folder: Path) -> Profile:
    """Loads a target and samples one of its parts meanwhile.

    Raises:
        ProfileError: when py-spy may not, or finds no Python.
    """
    py_spy = environments.ensure(folder / "venv", _REQUIREMENTS) / "py-spy"
    stacks = folder / f"{target.name.replace(' ', '-')}-{part}.folded"
    command = [
        *(str(py_spy), "record", "--pid", str(target.parts[part]), "--duration", str(seconds)),
        *("--rate", str(_SAMPLES_A_SECOND), "--function", "--format", "raw", "--output", str(stacks), "--nonblocking"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as sampling:  # noqa: S603
        try:
            wrk.run(target.url, target.body, callers, seconds + 1, fresh=target.fresh)
            said, _ = sampling.communicate(timeout=_MARGIN_S)
        except subprocess.TimeoutExpired:
            raise ProfileError(f"py-spy does not come to an end with {part}.") from None
        finally:
            sampling.kill()
    if sampling.returncode != 0 or not stacks.exists():
        raise ProfileError(f"py-spy cannot sample {part}: {said.strip()[-300:]}")
    return _read(target.name, part, stacks)


def _read(target: str, part: str, stacks: Path) -> Profile:
    """What a file of folded stacks says: "outer;inner 17" on each line."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for line in stacks.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        functions = stack.split(";")
        own[functions[-1]] += int(count)
        total.update(dict.fromkeys(functions, int(count)))
    samples = own.total()
    places = (Place(name, own[name] / samples, total[name] / samples) for name in total)
    return Profile(target, part, samples, tuple(sorted(places, key=lambda place: (-place.own, -place.total))))
