"""Envoy's protobuf messages as YAML spells them."""

from datetime import timedelta
from typing import Any

Message = dict[str, Any]
"""A protobuf message as Envoy reads it: its fields by name."""

_TYPES = "type.googleapis.com/envoy."


def typed(type_name: str, **fields: Any) -> Message:
    """An `Any`; `type_name` without its "envoy." in front."""
    return {"@type": f"{_TYPES}{type_name}", **fields}


def extension(type_name: str, name: str = "", /, **fields: Any) -> Message:
    """An entry of a list of extensions, such as a filter; its type and its name without their "envoy." in front.

    Most are called as the package of their type: "filters.http.rbac" is that of "extensions.filters.http.rbac.v3.RBAC".
    """
    name = name or type_name.removeprefix("extensions.").partition(".v3.")[0]
    return {"name": f"envoy.{name}", "typed_config": typed(type_name, **fields)}


def seconds(duration: timedelta) -> str:
    """A duration, "0.25s"; whole seconds without a fraction."""
    return f"{duration.total_seconds():g}s"


def socket_address(host: str, port: int) -> Message:
    """A TCP address; a host name only where a cluster resolves it."""
    return {"socket_address": {"address": host, "port_value": port}}
