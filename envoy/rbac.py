"""Who may call what, by the SPIFFE id in the caller's certificate. Calls that no policy allows are refused."""

from collections.abc import Iterable

from envoy.message import Message, extension
from envoy.topology import ENGINE_SERVICE, Topology
from services.base.identity import client_id, workload_id

DISPATCH_SERVICE = "papermesh.dispatch.v1.DispatchService"
OPERATOR_PREFIXES = ("/grpc.health.v1.Health/", "/grpc.reflection.")
"""What only the operator may call at the edge."""


def edge(topology: Topology) -> Message:
    """The adapter, the operator and the company's clients reach dispatch; health and reflection are the operator's."""
    operator = _workloads(topology, ["operator"])
    any_client = _matches({"prefix": client_id(topology.namespace, "")})
    callers = [*_workloads(topology, ["adapter"]), *operator, any_client]
    dispatch, operators = _starts(f"/{DISPATCH_SERVICE}/"), [_starts(prefix) for prefix in OPERATOR_PREFIXES]
    return _filter(
        {
            "dispatch": _policy(dispatch, callers),
            "operator": _policy(_any_of(operators), operator),
            "unknown": _policy(_none_of([dispatch, *operators]), callers),
        }
    )


def mesh(topology: Topology) -> Message:
    """Each service's own callers reach it and may ask for its engine; the operator too, if the deployment allows it."""
    operator = ("operator",) if topology.operator_on_mesh else ()
    served = [name for service in topology.services for name in service.serves]
    policies = {}
    known: list[Message] = []
    anyone: dict[str, None] = {}  # an ordered set
    for service in topology.services:
        callers = (*service.callers, *operator)
        permissions = [_starts(f"/{name}/") for name in service.serves]
        permissions += [_asks_for_engine(name, served) for name in service.serves]
        policies[service.workload] = _policy(_any_of(permissions), _workloads(topology, callers))
        known += [_starts(f"/{name}/") for name in service.serves]
        known += [_asks_for_engine(name) for name in service.serves]
        anyone.update(dict.fromkeys(callers))
    if policies:
        policies["unknown"] = _policy(_none_of(known), _workloads(topology, anyone))
    return _filter(policies)


def asks_about(service: str) -> Message:
    """A header matcher for calls of EngineService that ask about `service`, its full name.

    It matches if any one of several x-service is this service.
    """
    return {"name": "x-service", "string_match": {"exact": service}}


# The policy "unknown" lets a listener's callers past for a path that no route has, so that a mistyped service is
# answered UNIMPLEMENTED, as gRPC has it, and not PERMISSION_DENIED, which would send people to their certificates.


def _filter(policies: dict[str, Message]) -> Message:
    return extension("extensions.filters.http.rbac.v3.RBAC", rules={"action": "ALLOW", "policies": policies})


def _policy(permission: Message, principals: list[Message]) -> Message:
    return {"permissions": [permission], "principals": principals}


def _workloads(topology: Topology, names: Iterable[str]) -> list[Message]:
    return [_matches({"exact": workload_id(topology.namespace, name)}) for name in names]


def _matches(matcher: Message) -> Message:
    """A principal. Envoy compares it with the certificate's URI SAN, which every certificate of the mesh has."""
    return {"authenticated": {"principal_name": matcher}}


def _starts(prefix: str) -> Message:
    return {"url_path": {"path": {"prefix": prefix}}}


def _asks_for_engine(service: str, served: Iterable[str] = ()) -> Message:
    """Matches calls that ask for the engine of `service` and not, by a second x-service, for another of `served`."""
    rules = [_starts(f"/{ENGINE_SERVICE}/"), {"header": asks_about(service)}]
    if others := [{"header": asks_about(other)} for other in served if other != service]:
        rules.append(_none_of(others))
    return {"and_rules": {"rules": rules}}


def _any_of(permissions: list[Message]) -> Message:
    return {"or_rules": {"rules": permissions}}


def _none_of(permissions: list[Message]) -> Message:
    return {"not_rule": _any_of(permissions)}
