"""SPIFFE ids as Envoy matches them."""

from envoy.message import Message
from envoy.topology import Topology
from services.base.identity import TRUST_DOMAIN, workload_id


def namespace_prefix(topology: Topology) -> str:
    """The start of every id in this deployment; the slash keeps "prod" from matching "prod-eu"."""
    return f"spiffe://{TRUST_DOMAIN}/ns/{topology.namespace}/"


def workload(topology: Topology, name: str) -> str:
    """The id of one workload."""
    return workload_id(topology.namespace, name)


def any_client(topology: Topology) -> Message:
    """A string matcher for every caller of the company's own."""
    return {"prefix": f"{namespace_prefix(topology)}client/"}
