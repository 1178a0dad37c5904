"""Canonical JSON of a request message: what a signature covers.

Proto3 JSON with the protos' own field names, fields at their default left out, a set but empty message written, and the
whole serialised by RFC 8785. Protobuf bytes cannot be signed: a Struct's map serialises in another order each time.

Also the one place that bounds a caller's JSON (`check_json`): what could not be canonical is refused.
"""

import base64
import math
from collections.abc import Callable
from typing import Any, cast

import orjson
import rfc8785
from google.protobuf import struct_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.base.errors import bad_arg, bad_field

MAX_DEPTH = 30
"""Levels of objects and lists in a call's arguments, the arguments themselves being the first."""

MAX_VALUES = 10_000
"""Entries of objects and lists in a call's arguments. What a call may cost before it is verified hangs on it."""

_SAFE_INTEGER = 2**53 - 1
_MAX_PATH_SHOWN = 200
_MAX_KEY_SHOWN = 100
_LONGS = frozenset({FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64})


def canonical_json(message: Message) -> bytes:
    """The canonical JSON of a request message; see `request_json` for what it raises."""
    return dumps(request_json(message))


def request_json(message: Message) -> dict[str, Any]:
    """A request message as the JSON value that is signed.

    Raises:
        PapermeshError: BAD_ARG for unknown fields, which no JSON shows and so no signature would cover, and for
            arguments past the limits of `check_json`.
    """
    size = message.ByteSize()
    message.DiscardUnknownFields()
    if message.ByteSize() != size:
        raise bad_arg("The request has fields that this version does not know. Send only fields of its proto.")
    return _message(message)


def dumps(value: Any) -> bytes:
    """RFC 8785 serialisation of a JSON value whose numbers are finite.

    orjson writes the same bytes several times faster where its two differences cannot show: RFC 8785 orders keys by
    UTF-16 and orjson by code point, and they print floats that are no integers differently.
    """
    if _plain(value):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return rfc8785.dumps(value)


def _plain(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None or kind is int:
        return True
    if kind is dict:
        for key, item in value.items():  # noqa: SIM110 - all() would cost each call twice as much
            if not (key.isascii() and _plain(item)):
                return False
        return True
    if kind is list:
        return all(map(_plain, value))
    return False


def _message(message: Message) -> dict[str, Any]:
    """For the scalar, message and Struct fields that requests have."""
    return {field.name: field_json(field, value, _single) for field, value in message.ListFields()}


def field_json(field: FieldDescriptor, value: Any, single: Callable[[FieldDescriptor, Any], Any]) -> Any:
    """What JSON has for a field: what `single` makes of its value, or of each in its list or map."""
    if not field.is_repeated:
        return single(field, value)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        item = field.message_type.fields_by_name["value"]
        # As proto3 JSON writes keys: true, and not Python's True.
        return {key if isinstance(key, str) else orjson.dumps(key).decode(): single(item, value[key]) for key in value}
    return [single(field, item) for item in value]


def _single(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        if isinstance(value, struct_pb2.Struct):
            return _struct(value, field.name, 1, _Budget())
        if field.message_type.full_name.startswith("google.protobuf."):
            raise TypeError(f"{field.full_name}: a signed request may not hold {field.message_type.full_name}")
        return _message(value)
    if field.cpp_type in _LONGS:
        return str(value)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return value if known is None else known.name
    return value


class _Budget:
    """How many more values the arguments may hold."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def take(self, values: int, path: str, depth: int) -> None:
        """Enters an object or list with so many values at `depth`."""
        if depth > MAX_DEPTH:
            raise bad_field(path[:_MAX_PATH_SHOWN], f"is nested more than {MAX_DEPTH} levels deep")
        self._left -= values
        if self._left < 0:
            raise bad_field(path[:_MAX_PATH_SHOWN], f"puts the arguments over {MAX_VALUES} values")


def _struct(struct: struct_pb2.Struct, path: str, depth: int, budget: _Budget) -> dict[str, Any]:
    budget.take(len(struct.fields), path, depth)
    return {key: _value(value, _below(path, key), depth, budget) for key, value in struct.fields.items()}


def _value(value: struct_pb2.Value, path: str, depth: int, budget: _Budget) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        return _number(value.number_value, path)
    if kind == "struct_value":
        return _struct(value.struct_value, path, depth + 1, budget)
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        items = value.list_value.values
        budget.take(len(items), path, depth + 1)
        return [_value(item, f"{path}[{index}]", depth + 1, budget) for index, item in enumerate(items)]
    if kind == "null_value":
        return None
    raise bad_field(path, "has no value; send null or leave it out")


def check_json(value: Any) -> Any:
    """Arguments in JSON as they will come out of a Struct: integral floats become int, everything is within the limits.

    Raises:
        PapermeshError: BAD_ARG for more than 30 levels, more than 10,000 values, a number that is not finite, an
            integer beyond ±(2^53−1), or a lone surrogate; the violation names the place, "args.pages[3]".
    """
    return _check(value, "args", 1, _Budget())


def _check(value: Any, path: str, depth: int, budget: _Budget) -> Any:
    kind = type(value)
    if kind is str:
        _check_text(value, path)
        return value
    if kind is dict:
        budget.take(len(value), path, depth)
        checked = {}
        for key, item in value.items():
            _check_text(key, path)
            checked[key] = _check(item, _below(path, key), depth + 1, budget)
        return checked
    if kind is list:
        budget.take(len(value), path, depth)
        return [_check(item, f"{path}[{index}]", depth + 1, budget) for index, item in enumerate(value)]
    if kind is bool or value is None:
        return value
    return _number(value, path)


def json_to_struct(value: dict[str, Any], struct: struct_pb2.Struct) -> None:
    """Fills a Struct from a value that `check_json` returned."""
    for key, item in value.items():
        _fill(item, struct.fields[key])


def _fill(item: Any, target: struct_pb2.Value) -> None:
    kind = type(item)
    if kind is str:
        target.string_value = item
    elif kind is bool:
        target.bool_value = item
    elif kind is dict:
        target.struct_value.SetInParent()
        json_to_struct(item, target.struct_value)
    elif kind is list:
        target.list_value.SetInParent()
        for entry in item:
            _fill(entry, target.list_value.values.add())
    elif item is None:
        target.null_value = struct_pb2.NULL_VALUE
    else:
        target.number_value = item


def _below(path: str, key: str) -> str:
    """The place of an entry. Every entry gets one, so a long key must not be copied into each of those below it."""
    return f"{path}.{key[:_MAX_KEY_SHOWN]}"


def _check_text(text: str, path: str) -> None:
    # Cheap for what nearly every string is; only a string beyond ASCII can hold a surrogate.
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise bad_field(path.encode(errors="replace").decode(), "contains half a surrogate pair") from None


def _number(number: float, path: str) -> float:
    if isinstance(number, float) and not math.isfinite(number):
        raise bad_field(path, "is not a finite number")
    if abs(number) > _SAFE_INTEGER:
        raise bad_field(path, "is beyond ±(2^53−1), where JSON numbers stop being exact; send it as text")
    return cast("float", int(number)) if number == int(number) else number
