"""Which host names mean this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: localhost, or a loopback address without brackets."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
