"""The flood limit at the edge: token buckets in Envoy, for each client certificate.

dispatch limits actors, exactly and across its replicas. Calls refused here never reach it, so a flood costs it nothing.
One client may carry many people (the adapter does), so these buckets are far larger than an actor's.

A call is counted in up to two buckets of its client: one for what it calls, and one for all its calls. The smaller one
is asked first, and the other does not count what that refuses.

The buckets belong to one Envoy process and are shared by its workers: N replicas of Envoy let through N times as much.
"""

import math
from collections.abc import Iterable
from http import HTTPStatus

from envoy.answers import typed_answer
from envoy.message import Message, extension
from envoy.rbac import DISPATCH_SERVICE, OPERATOR_PREFIXES
from envoy.topology import Topology
from services.base.actions import ActionTable, Rate
from services.base.errors import Code, PapermeshError

INVOKE = f"/{DISPATCH_SERVICE}/Invoke"
"""The method that takes an action, and its name in x-action."""

ACTORS = 60
"""How many actors' rates one client may use of an action, or of a method that is not an action. One actor at fifty
times its rate, whom dispatch refuses, leaves the rates of ten to the client's other actors."""

BURSTS = 20
"""How many actors' bursts, likewise. Fewer, because a burst that passes is what a flood costs dispatch."""

WHOLE = Rate(12_000, 1_200)
"""All calls of one client: twice dispatch's defaults, so that dispatch's better answer comes first."""

UNKNOWN = Rate(120, 30)
"""Calls of one client that name no action of this deployment, or no method. They are mistakes; a person makes few."""

RETRY_AFTER_MS = 1_000
"""How long a refused caller is told to wait: Envoy does not know when a bucket will have room."""

MAX_CLIENTS = 1_024
"""Clients whose buckets are kept, for each kind of call. A new client displaces the one that called longest ago, which
later starts with full buckets. Envoy's default is 20, and a company may have 21 busy ones."""

_PER = "60s"
_MAX_TOKENS = 2**32 - 1  # the field's type; a bucket of this size limits nothing that Envoy could carry

_CLIENT, _PATH, _ACTION, _KNOWN = "client", "path", "action", "known"
"""Keys of the descriptors' entries."""


def http_filter(table: ActionTable, topology: Topology) -> Message:
    """The filter. It comes after access control, so that callers who may not call are not counted."""
    services = [name for service in topology.services for name in service.serves]
    actions = table.listed(services)
    methods = {
        method.path: method.rate
        for method in sorted(table.methods.values(), key=lambda method: method.path)
        if method.service == DISPATCH_SERVICE and method.rate is not None and method.path != INVOKE
    }
    scale = topology.rate_scale
    return extension(
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="edge",
        filter_enabled=_ALWAYS,
        filter_enforced=_ALWAYS,
        # It stands for all clients together, and every call is counted in its client's bucket instead.
        token_bucket=_bucket(Rate(_MAX_TOKENS, _MAX_TOKENS), 1),
        always_consume_default_token_bucket=False,
        max_dynamic_descriptors=MAX_CLIENTS,
        rate_limits=_counted(actions, methods),
        descriptors=[
            _limit(WHOLE, scale),
            _limit(UNKNOWN, scale, (_KNOWN, "false")),
            *(
                _limit(_of_client(action.rate), scale, (_PATH, INVOKE), (_ACTION, name))
                for name, action in actions.items()
            ),
            *(_limit(_of_client(rate), scale, (_PATH, path)) for path, rate in methods.items()),
        ],
        # How full a bucket is, is nobody's business but ours.
        enable_x_ratelimit_headers="OFF",
        rate_limited_as_resource_exhausted=True,
    )


def answer() -> Message:
    """Envoy's 429 as the error that dispatch gives for one call too many."""
    error = PapermeshError(
        Code.RATE_LIMIT,
        "This client makes too many calls. Wait and try again, and spread the calls out.",
        retry_after_ms=RETRY_AFTER_MS,
    )
    return typed_answer(HTTPStatus.TOO_MANY_REQUESTS, error)


def _counted(actions: Iterable[str], methods: Iterable[str]) -> list[Message]:
    """The parts of a call that make the keys of its buckets."""
    client = extension("extensions.matching.common_inputs.ssl.v3.UriSanInput")
    of_client: Message = {"extension": {**client, "name": _CLIENT}}
    path: Message = {"request_headers": {"header_name": ":path", "descriptor_key": _PATH}}
    action: Message = {"request_headers": {"header_name": "x-action", "descriptor_key": _ACTION}}
    known = extension(
        "extensions.rate_limit_descriptors.expr.v3.Descriptor",
        descriptor_key=_KNOWN,
        text=_is_known(actions, methods),
    )
    return [
        {"actions": [of_client]},
        {"actions": [of_client, path]},
        {"actions": [of_client, path, action]},
        {"actions": [of_client, {"extension": known}]},
    ]


def _is_known(actions: Iterable[str], methods: Iterable[str]) -> str:
    """A CEL expression: whether a call names a method and, if the method takes one, an action.

    Header matchers would not do: they match if any one of several x-action is known. The path is compared as it came:
    with a query, which no gRPC call has, it is not a method, here as for dispatch.
    """
    operators = (f"request.path.startsWith({prefix!r})" for prefix in OPERATOR_PREFIXES)
    an_action = f"'x-action' in request.headers && request.headers['x-action'] in {list(actions)}"
    return " || ".join([f"request.path == {INVOKE!r} && {an_action}", f"request.path in {list(methods)}", *operators])


def _limit(rate: Rate, scale: float, *called: tuple[str, str]) -> Message:
    """One bucket per client. The entry without a value is Envoy's wildcard: each value gets its own bucket."""
    entries: list[Message] = [{"key": _CLIENT}, *({"key": key, "value": value} for key, value in called)]
    return {"entries": entries, "token_bucket": _bucket(rate, scale)}


def _of_client(rate: Rate) -> Rate:
    """One client's bucket for a method or action that one actor may call at `rate`."""
    return Rate(rate.requests_per_minute * ACTORS, rate.burst * BURSTS)


def _bucket(rate: Rate, scale: float) -> Message:
    """Envoy fills a bucket evenly, in fractions of a token, not once in an interval."""
    return {
        "max_tokens": _tokens(rate.burst * scale),
        "tokens_per_fill": _tokens(rate.requests_per_minute * scale),
        "fill_interval": _PER,
    }


def _tokens(number: float) -> int:
    return min(max(1, math.ceil(number)), _MAX_TOKENS)


_ALWAYS: Message = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
