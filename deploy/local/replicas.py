"""How many of each part run, and the names of the second and the third."""

from collections.abc import Iterator, Mapping, Sequence

from deploy.workloads import SERVICES, Workload, variable
from services.base.errors import OperatorError

MOST = 9

_PORTS_APART = 100


class ReplicaError(OperatorError):
    """A part cannot have so many replicas; the text is for the person who starts Papermesh."""


def name(part: str, number: int) -> str:
    """The name of a part's first, second… replica: "pdf", "pdf-2"."""
    return part if number == 1 else f"{part}-{number}"


def port(first: int, number: int) -> int:
    """The port of the first, second… replica, if the first listens at `first`: each a hundred above the one before."""
    return first + _PORTS_APART * (number - 1)


def numbers(replicas: Mapping[str, int], part: str) -> Iterator[int]:
    """1, 2… up to the number of a part; just 1 for a part that `replicas` does not name."""
    yield from range(1, replicas.get(part, 1) + 1)


def replicated(services: Sequence[Workload] = SERVICES) -> tuple[str, ...]:
    """The parts that may have more than one replica."""
    return ("dispatch", *(service.name for service in services), "adapter")


def variables(services: Sequence[Workload] = SERVICES) -> tuple[str, ...]:
    """The names of the variables for the number of a part."""
    return tuple(variable(part, "REPLICAS") for part in replicated(services))


def check(replicas: Mapping[str, int], services: Sequence[Workload] = SERVICES) -> None:
    """Checks that parts can run as often as `replicas` says.

    Raises:
        ReplicaError: naming the first that cannot.
    """
    parts = replicated(services)
    for part, count in replicas.items():
        if part not in parts:
            raise ReplicaError(f"There can be only one {part}. There can be several of: {', '.join(parts)}.")
        if not 1 <= count <= MOST:
            raise ReplicaError(f"{variable(part, 'REPLICAS')} must be a number from 1 to {MOST}.")
    names = [name(part, number) for part in parts for number in numbers(replicas, part)]
    if doubled := next((each for each in names if names.count(each) > 1), None):
        raise ReplicaError(f"Two parts would be called {doubled}. Rename the service in deploy/workloads.py.")


def from_environment(environment: Mapping[str, str], services: Sequence[Workload] = SERVICES) -> dict[str, int]:
    """The counts that the environment sets, PAPERMESH_PDF_REPLICAS=2.

    Raises:
        ReplicaError: for a variable that is not a valid number.
    """
    settings = {part: variable(part, "REPLICAS") for part in replicated(services)}
    found = {part: environment[setting] for part, setting in settings.items() if environment.get(setting)}
    counts = {part: int(text) if text.isascii() and text.isdigit() else 0 for part, text in found.items()}
    check(counts, services)
    return counts
