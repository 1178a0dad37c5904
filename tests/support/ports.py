"""A free port for a server of a test's own."""

from benchmarks.free_ports import free_ports

_given: set[int] = set()


def free_port() -> int:
    """A port of loopback that nobody has, and that this process has not been given before."""
    while (port := free_ports(()).http) in _given:
        pass
    _given.add(port)
    return port
