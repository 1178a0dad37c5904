"""The catalogue's entry for an action."""

import orjson

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.options.v1 import options_pb2
from services.base.actions import Action


def describe(action: Action) -> pb.ActionInfo:
    """What a person, an agent or a form needs to call the action."""
    entry = pb.ActionInfo(
        name=action.name,
        description=action.description,
        args_schema=orjson.dumps(dict(action.args_schema)).decode(),
        result_schema=orjson.dumps(dict(action.result_schema)).decode(),
        rate=options_pb2.RateLimit(requests_per_minute=action.rate.requests_per_minute, burst=action.rate.burst),
        job=action.job,
        read_only=action.method.read_only,
    )
    entry.timeout.FromTimedelta(action.method.timeout)
    if action.cache_ttl is not None:
        entry.cache_ttl.FromTimedelta(action.cache_ttl)
    return entry
