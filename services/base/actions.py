"""The table of actions and internal methods, read once from the protos' descriptors.

This is the only reader of `papermesh.options.v1`. Everything that needs to know what an action is (dispatch's routing,
Envoy's timeouts, the catalogue) asks this table, so an in-house service joins by its annotated proto alone.
"""

import functools
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import cast

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message

import papermesh
from papermesh.options.v1 import options_pb2
from services.base.errors import OperatorError
from services.base.names import ACTION_RULE, is_action
from services.base.schema import Comments, args_schema, result_schema

__all__ = ["ActionTable", "ContractError", "load"]

BUILT_IN_DESCRIPTORS = Path(next(iter(papermesh.__path__))) / "descriptors.binpb"

_NO_SIDE_EFFECTS = descriptor_pb2.MethodOptions.IdempotencyLevel.NO_SIDE_EFFECTS


class ContractError(OperatorError):
    """A proto that breaks the rules of the action table; the text names the method and the rule."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket, before the deployment's scale."""

    requests_per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Method:
    """One gRPC method of the mesh, an action or not."""

    path: str
    """As gRPC has it, "/papermesh.pdf.v1.PdfService/GetMetadata"."""

    service: str
    """Full name of the service, "papermesh.pdf.v1.PdfService"."""

    timeout: timedelta
    """The longest that a caller may wait."""

    rate: Rate | None
    """One actor's calls of it; None for a method that only workloads of the mesh call."""

    read_only: bool
    """The method has no side effects, so it may be repeated."""

    client_streaming: bool
    server_streaming: bool


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """A method that people and agents may call by name."""

    name: str
    description: str
    method: Method
    request: type[Message]
    response: type[Message]
    cache_ttl: timedelta | None
    """How long a result may be served again; None means never."""

    rate: Rate
    """One actor's calls of it."""

    job: bool
    """May be submitted as a job."""

    planned: bool
    """Part of the contract, but answered UNIMPLEMENTED so far."""

    args_schema: Mapping[str, object]
    result_schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ActionTable:
    """Every method of the mesh."""

    actions: Mapping[str, Action]
    """By name, planned ones included; ordered by name."""

    methods: Mapping[str, Method]
    """By path; actions and internal methods."""

    def listed(self, services: Iterable[str]) -> Mapping[str, Action]:
        """The actions that can be called when `services` (full names) are deployed, ordered by name."""
        deployed = frozenset(services)
        return MappingProxyType(
            {
                name: action
                for name, action in self.actions.items()
                if not action.planned and action.method.service in deployed
            }
        )


@functools.cache
def load(*descriptor_sets: Path) -> ActionTable:
    """Reads the built-in descriptor set and any others, of in-house services.

    Args:
        descriptor_sets: Files that `protoc --descriptor_set_out --include_imports --include_source_info` wrote.

    Raises:
        ContractError: for a method that is neither an action nor internal, a bad or duplicate name, a missing or zero
            timeout or rate, a cache on a method with side effects, an action that streams or whose response does not
            end in `string json`, or a missing comment.
    """
    actions: dict[str, Action] = {}
    methods: dict[str, Method] = {}
    for path in (BUILT_IN_DESCRIPTORS, *descriptor_sets):
        files = descriptor_pb2.FileDescriptorSet.FromString(path.read_bytes()).file
        comments = Comments(files)
        for file in files:
            _register(file)
        for file in files:
            for service in file.service:
                described = descriptor_pool.Default().FindServiceByName(f"{file.package}.{service.name}")
                for method in described.methods:
                    _read(method, comments, actions, methods)
    return ActionTable(MappingProxyType(dict(sorted(actions.items()))), MappingProxyType(methods))


def _register(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Makes a file known to the default pool: by its generated module or, where there is none, from the set itself."""
    pool = descriptor_pool.Default()
    try:
        pool.FindFileByName(file.name)
    except KeyError:
        module = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if not f"{module}.".startswith(f"{error.name}."):  # it is there, and lacks what it imports
                raise
            pool.Add(file)


def _read(
    described: MethodDescriptor, comments: Comments, actions: dict[str, Action], methods: dict[str, Method]
) -> None:
    """Adds one method to the tables, or says which rule it breaks."""
    name = described.full_name
    options = described.GetOptions()
    is_action = options.HasExtension(options_pb2.action)
    is_internal = options.HasExtension(options_pb2.internal)
    if is_action == is_internal:
        raise ContractError(f"{name}: needs exactly one of the options action and internal")
    action = options.Extensions[options_pb2.action]
    annotation = action if is_action else options.Extensions[options_pb2.internal]
    timeout = annotation.timeout.ToTimedelta()
    if timeout <= timedelta(0):
        raise ContractError(f"{name}: needs a timeout above zero")
    rate = _rate(name, annotation.rate) if is_action or annotation.HasField("rate") else None
    if not comments.of(name):
        raise ContractError(f"{name}: needs a comment; it is what the catalogue shows")
    method = Method(
        path=f"/{described.containing_service.full_name}/{described.name}",
        service=described.containing_service.full_name,
        timeout=timeout,
        rate=rate,
        read_only=options.idempotency_level == _NO_SIDE_EFFECTS,
        client_streaming=described.client_streaming,
        server_streaming=described.server_streaming,
    )
    _require_comments(described.input_type, comments)
    _require_comments(described.output_type, comments)
    methods[method.path] = method
    if is_action:
        if action.name in actions and actions[action.name].method.path != method.path:
            raise ContractError(f"{name}: the action {action.name} exists already")
        actions[action.name] = _action(described, action, method, cast("Rate", rate), comments)


def _rate(name: str, annotation: options_pb2.RateLimit) -> Rate:
    if annotation.requests_per_minute < 1 or annotation.burst < 1:
        raise ContractError(f"{name}: needs a rate with requests_per_minute and burst of at least 1")
    return Rate(annotation.requests_per_minute, annotation.burst)


def _action(
    described: MethodDescriptor, annotation: options_pb2.Action, method: Method, rate: Rate, comments: Comments
) -> Action:
    name = described.full_name
    if method.client_streaming or method.server_streaming:
        raise ContractError(f"{name}: streams; an action takes one message and answers with one")
    if not is_action(annotation.name):
        raise ContractError(f"{name}: needs an action name, {ACTION_RULE}; {annotation.name!r} is not one")
    if annotation.HasField("cache_ttl") and not method.read_only:
        raise ContractError(f"{name}: has a cache_ttl, so it needs idempotency_level = NO_SIDE_EFFECTS")
    last = described.output_type.fields[-1] if described.output_type.fields else None
    if last is None or last.name != "json" or last.type != last.TYPE_STRING or last.is_repeated:
        raise ContractError(f"{name}: the last field of its response must be `string json`")
    return Action(
        name=annotation.name,
        description=comments.of(name),
        method=method,
        request=message_factory.GetMessageClass(described.input_type),
        response=message_factory.GetMessageClass(described.output_type),
        cache_ttl=annotation.cache_ttl.ToTimedelta() if annotation.HasField("cache_ttl") else None,
        rate=rate,
        job=annotation.job,
        planned=annotation.planned,
        args_schema=MappingProxyType(args_schema(described.input_type, comments)),
        result_schema=MappingProxyType(result_schema(described.output_type, comments)),
    )


def _require_comments(message: Descriptor, comments: Comments, above: tuple[str, ...] = ()) -> None:
    """Refuses a message of ours with a field that nobody explained, in itself or in a message inside it."""
    if message.full_name.startswith("google.protobuf.") or message.full_name in above:
        return
    for described in message.fields:
        if not comments.of(described.full_name) and not message.GetOptions().map_entry:
            raise ContractError(f"{described.full_name}: needs a comment")
        if described.message_type is not None:
            _require_comments(described.message_type, comments, (*above, message.full_name))
