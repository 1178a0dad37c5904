"""Routes, one for each method in the action table: its cluster, its deadline, and whether it may be retried.

A method that is not in the table has no route, and Envoy answers UNIMPLEMENTED.
"""

from collections.abc import Iterable
from datetime import timedelta

from envoy import request_size
from envoy.message import Message, extension, seconds
from envoy.rbac import DISPATCH_SERVICE, OPERATOR_PREFIXES, asks_about
from envoy.topology import ENGINE_SERVICE, Topology
from services.base.actions import ActionTable, Method
from services.base.errors import OperatorError

GRACE = timedelta(seconds=1)
"""How much longer than the method's timeout Envoy waits. The backend keeps to the timeout itself and answers with
details. Envoy's clock started first, so without this second its bare answer would win."""

OPERATOR_TIMEOUT = timedelta(seconds=10)
"""For health and reflection, which are in no table and which dispatch does not count. What the flood limit lets one
operator begin within this time is less than a quarter of the calls that may be in flight to dispatch."""

STREAM_IDLE_TIMEOUT = timedelta(seconds=300)

_RETRY_POLICY: Message = {
    # "reset" and not "reset-before-request": when a replica was killed, the latter lost the calls it was working on,
    # and all of these methods may be repeated.
    #
    # DEADLINE_EXCEEDED is a host's fault, since services answer a document's own time-out as INTERNAL. The deadline of
    # the whole call runs on over all tries and ends them.
    "retry_on": "connect-failure,refused-stream,reset,unavailable,deadline-exceeded",
    "num_retries": 4,
    "retry_host_predicate": [
        extension(
            "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            "retry_host_predicates.previous_hosts",
        )
    ],
    "host_selection_retry_max_attempts": 5,
    "retry_back_off": {"base_interval": "0.025s", "max_interval": "0.25s"},
}
"""At most five tries. The cluster's retry budget limits how many calls may retry at once."""


def edge(table: ActionTable) -> Message:
    """The front door. Never retried: a retry would carry the same nonce, and dispatch would take it for a replay."""
    routes = [_method_route(method, "dispatch") for method in _methods(table, DISPATCH_SERVICE)]
    routes += [
        _route({"prefix": prefix}, "dispatch", OPERATOR_TIMEOUT, client_streaming=True) for prefix in OPERATOR_PREFIXES
    ]
    return _configuration("edge", routes)


def mesh(table: ActionTable, topology: Topology) -> Message:
    """The services' routes, and EngineService for each of them.

    A method without side effects is tried again, on another host if there is one.
    """
    routes = []
    for service in topology.services:
        for name in service.serves:
            routes += [_mesh_route(method, service.workload) for method in _methods(table, name)]
            for method in _methods(table, ENGINE_SERVICE):
                route = _mesh_route(method, service.workload)
                route["match"]["headers"] = [asks_about(name)]
                routes.append(route)
    return _configuration("mesh", routes)


def _mesh_route(method: Method, cluster: str) -> Message:
    route = _method_route(method, cluster)
    if method.read_only and not method.client_streaming:
        route["route"]["retry_policy"] = _RETRY_POLICY
    return route


def request_timeout(table: ActionTable, services: Iterable[str]) -> timedelta:
    """The longest that a request may take to arrive: the upload's own timeout, but at least the idle timeout."""
    wanted = frozenset(services)
    uploads = [
        method.timeout for method in table.methods.values() if method.client_streaming and method.service in wanted
    ]
    return max([STREAM_IDLE_TIMEOUT, *uploads]) + 2 * GRACE


def _methods(table: ActionTable, service: str) -> list[Method]:
    methods = [method for method in table.methods.values() if method.service == service]
    if not methods:
        raise OperatorError(f"The topology serves {service}, which is not in the action table.")
    return sorted(methods, key=lambda method: method.path)


def _method_route(method: Method, cluster: str) -> Message:
    return _route({"path": method.path}, cluster, method.timeout, client_streaming=method.client_streaming)


def _route(match: Message, cluster: str, timeout: timedelta, *, client_streaming: bool) -> Message:
    # `timeout` would answer UNAVAILABLE, so it is off; and the header's maximum alone would let a call without a
    # deadline run for ever, so the stream's maximum stands beside it.
    limit = seconds(timeout + GRACE)
    route: Message = {
        "cluster": cluster,
        "timeout": "0s",
        "max_stream_duration": {"max_stream_duration": limit, "grpc_timeout_header_max": limit},
    }
    if timeout + GRACE >= STREAM_IDLE_TIMEOUT:
        # A watched job may be silent for long; its deadline bounds it, and pings find a peer that is gone.
        route["idle_timeout"] = "0s"
    whole: Message = {"match": match, "route": route}
    if client_streaming:
        whole["typed_per_filter_config"] = request_size.of_a_stream()
    return whole


def _configuration(name: str, routes: list[Message]) -> Message:
    return {
        "name": name,
        "virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}],
        # A route's cluster is in the same file; a wrong name is found when the file is read.
        "validate_clusters": True,
    }
