"""An action's arguments: from signed JSON to the typed request, naming the field of every fault."""

import base64
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
import protovalidate
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from services.base.actions import Action
from services.base.errors import FieldViolation, bad_arg
from services.base.schema import INTEGER_RANGES, WELL_KNOWN

_FLOATS = frozenset({FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT})
_MAX_VIOLATIONS = 20
_RECENT = 512
_RECENT_BYTES = 4096
"""How many requests `recent` keeps, and the longest arguments of one."""

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}", re.ASCII)


class _Fault(Exception):  # noqa: N818 - it never leaves this module
    """One wrong argument."""

    def __init__(self, path: str, description: str) -> None:
        super().__init__(description)
        self.violation = FieldViolation(path, description)


def recent(action: Action, args: bytes, asker: str, *, is_secret: bool = False) -> Message:
    """As `parse`, from canonical JSON; what one asker sends again is not read again.

    Kept by asker, or the time that an answer takes would tell what others ask. Nobody may change the message.

    Args:
        action: The action.
        args: Its arguments, as they were signed.
        asker: Whose call it is, as `state.owner` writes it.
        is_secret: The arguments hold a secret, and are not kept.
    """
    if is_secret or len(args) > _RECENT_BYTES:
        return parse(action, orjson.loads(args))
    return _read(action, args, asker)


@functools.lru_cache(_RECENT)
def _read(action: Action, args: bytes, _asker: str) -> Message:
    return parse(action, orjson.loads(args))


def parse(action: Action, args: Mapping[str, Any]) -> Message:
    """The typed request of an action.

    Args:
        action: The action.
        args: Its arguments as JSON, within the limits of `canonical.check_json`.

    Raises:
        PapermeshError: BAD_ARG that names each field at fault: unknown, of the wrong type, missing, or against a rule.
    """
    message = action.request()
    faults: list[FieldViolation] = []
    _fill(message, args, "", faults)
    if not faults:
        faults = [_fault(violation, action.args_schema) for violation in protovalidate.collect_violations(message)]
    if faults:
        first = faults[0]
        raise bad_arg(f"{first.field or 'args'}: {first.description}", *faults[:_MAX_VIOLATIONS])
    return message


def _fill(message: Message, values: Mapping[str, Any], path: str, faults: list[FieldViolation]) -> None:
    fields = message.DESCRIPTOR.fields_by_name
    for name, value in values.items():
        place = f"{path}{name}"
        field = fields.get(name)
        if field is None:
            known = ", ".join(fields) or "none"
            faults.append(FieldViolation(place[:200], f"no such argument. Arguments: {known}"))
        elif value is not None:  # null means "not given", as in proto3 JSON
            try:
                _set(message, cast("FieldDescriptor", field), value, place, faults)  # the C one, says the stub
            except _Fault as fault:
                faults.append(fault.violation)


def _set(message: Message, field: FieldDescriptor, value: Any, path: str, faults: list[FieldViolation]) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _set_map(message, field, value, path, faults)
    elif field.is_repeated:
        if not isinstance(value, list):
            raise _Fault(path, "must be a list")
        target = getattr(message, field.name)
        for index, item in enumerate(value):
            place = f"{path}[{index}]"
            if field.message_type is not None:
                _set_message(target.add(), item, place, faults)
            else:
                target.append(_scalar(field, item, place))
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        _set_message(inner, value, path, faults)
    else:
        setattr(message, field.name, _scalar(field, value, path))


def _set_map(message: Message, field: FieldDescriptor, value: Any, path: str, faults: list[FieldViolation]) -> None:
    fields = cast("Descriptor", field.message_type).fields_by_name
    item = fields["value"]
    target = getattr(message, field.name)
    for name, entry in _object(value, path).items():
        place = f"{path}.{name}"
        key = _key(fields["key"], name, place)
        if item.message_type is not None:
            _set_message(target[key], entry, place, faults)
        else:
            target[key] = _scalar(item, entry, place)


def _set_message(message: Message, value: Any, path: str, faults: list[FieldViolation]) -> None:
    if message.DESCRIPTOR.full_name not in WELL_KNOWN:
        _fill(message, _object(value, path), f"{path}.", faults)
        return
    try:
        json_format.ParseDict(value, message)
    except json_format.ParseError:
        raise _Fault(path, f"must be a {message.DESCRIPTOR.full_name} in proto3 JSON") from None


def _key(field: FieldDescriptor, name: str, path: str) -> Any:
    """A map's key, which JSON always writes as text."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return name
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _boolean(field, {"true": True, "false": False}.get(name), path)
    return _integer(field, int(name) if _WHOLE_NUMBER.fullmatch(name) else None, path)


def _object(value: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Fault(path, "must be an object")
    return value


def _scalar(field: FieldDescriptor, value: Any, path: str) -> Any:
    check = _CHECKS[field.type] if field.type in _CHECKS else _integer  # noqa: SIM401 - mypy cannot type .get here
    return check(field, value, path)


def _string(_: FieldDescriptor, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _Fault(path, "must be text")
    return value


def _boolean(_: FieldDescriptor, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise _Fault(path, "must be true or false")
    return value


def _float(_: FieldDescriptor, value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Fault(path, "must be a number")
    return value


def _integer(field: FieldDescriptor, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Fault(path, "must be a whole number")
    low, high = INTEGER_RANGES[field.cpp_type]
    if not low <= value <= high:
        raise _Fault(path, f"must be from {low} to {high}")
    return value


def _bytes(_: FieldDescriptor, value: Any, path: str) -> bytes:
    try:
        return base64.b64decode(_string(_, value, path), validate=True)
    except ValueError:  # binascii.Error, or a letter beyond ASCII
        raise _Fault(path, "must be base64") from None


def _enum(field: FieldDescriptor, value: Any, path: str) -> int:
    known = cast("EnumDescriptor", field.enum_type).values_by_name
    if not isinstance(value, str) or value not in known:
        raise _Fault(path, f"must be one of {', '.join(known)}")
    return known[value].number


_CHECKS: dict[int, Callable[[FieldDescriptor, Any, str], Any]] = {
    FieldDescriptor.TYPE_STRING: _string,
    FieldDescriptor.TYPE_BOOL: _boolean,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_ENUM: _enum,
    **dict.fromkeys(_FLOATS, _float),
}


def _fault(violation: protovalidate.Violation, schema: Mapping[str, Any]) -> FieldViolation:
    """A broken rule in words; for a failed pattern, the field's description instead of the pattern."""
    parts: list[str] = []
    for element in violation.proto.field.elements if violation.proto.field else ():
        schema = schema.get("items", schema).get("properties", {}).get(element.field_name, {})
        parts.append(("." if parts else "") + element.field_name)
        if element.subscript is not None and element.subscript.field == "index":
            parts.append(f"[{element.subscript.value}]")
    description = violation.proto.message
    if violation.proto.rule_id == "string.pattern" and "description" in schema:
        description = f"has the wrong form. {schema['description']}"
    elif violation.proto.rule_id == "string.in" and "enum" in schema:
        description = f"must be one of {', '.join(value for value in schema['enum'] if value)}"
    return FieldViolation("".join(parts), description)
