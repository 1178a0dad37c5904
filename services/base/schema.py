"""JSON Schema (2020-12) of a proto message, from its fields, their comments and their protovalidate rules.

It describes the JSON that people send: snake_case names, and the rules that dispatch will check. A rule that JSON
Schema cannot say (a CEL expression over several fields) stands as a sentence in the description.
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import EnumDescriptorProto, FileDescriptorProto

from buf.validate import validate_pb2

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SAFE_INTEGER = 2**53 - 1

INTEGER_RANGES: Mapping[int, tuple[int, int]] = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-_SAFE_INTEGER, _SAFE_INTEGER),
    FieldDescriptor.CPPTYPE_UINT64: (0, _SAFE_INTEGER),
}
"""The smallest and the largest number that JSON carries without loss, by a field's `cpp_type`."""

_SCALARS: dict[int, dict[str, Any]] = {
    **{kind: {"type": "integer", "minimum": least, "maximum": most} for kind, (least, most) in INTEGER_RANGES.items()},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number"},
    FieldDescriptor.CPPTYPE_FLOAT: {"type": "number"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    # Of bytes; text has rules of its own.
    FieldDescriptor.CPPTYPE_STRING: {"type": "string", "contentEncoding": "base64"},
}
_NUMBERS = frozenset({"int32", "uint32", "int64", "uint64", "float", "double"})
_BOUNDS = {"gte": "minimum", "lte": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
WELL_KNOWN: dict[str, dict[str, Any]] = {
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?s$"},
}
"""The messages that proto3 JSON writes in a form of their own."""

_SECRET = {"format": "password", "writeOnly": True}
"""What tells forms and agents not to show a text, and not to keep it."""


class Comments:
    """Leading comments of messages, fields, enums, services and methods, by full name.

    Python stubs drop comments, so they come from the source info of a descriptor set.
    """

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self._text = {
            _full_name(file, location.path): _unwrap(location.leading_comments)
            for file in files
            for location in file.source_code_info.location
            if location.leading_comments
        }

    def of(self, full_name: str) -> str:
        """The comment of a thing, its lines joined; empty where there is none."""
        return self._text.get(full_name, "")


def args_schema(message: Descriptor, comments: Comments) -> dict[str, Any]:
    """The schema of an action's arguments: unknown names are refused, and `required` fields are required."""
    return {"$schema": _DIALECT, **_object(message, comments, (), strict=True)}


def result_schema(message: Descriptor, comments: Comments) -> dict[str, Any]:
    """The schema of an action's result; `json`, which carries the result as text, is not part of it."""
    schema = {"$schema": _DIALECT, **_object(message, comments, (), strict=False)}
    schema["properties"].pop("json", None)
    return schema


def is_secret(field: FieldDescriptor) -> bool:
    """Whether a field's value is to be kept nowhere and shown to nobody, which its proto says by `debug_redact`."""
    return bool(field.GetOptions().debug_redact)


def _object(message: Descriptor, comments: Comments, above: tuple[str, ...], *, strict: bool) -> dict[str, Any]:
    if message.full_name in above:  # a message inside itself: say "an object" instead of never ending
        return {"type": "object"}
    above = (*above, message.full_name)
    rules = message.GetOptions().Extensions[validate_pb2.message]
    sentences = [comments.of(message.full_name), *(f"Rule: {rule.message}." for rule in rules.cel)]
    schema: dict[str, Any] = {
        "type": "object",
        "description": "\n\n".join(filter(None, sentences)),
        "properties": {field.name: _field(field, comments, above, strict=strict) for field in message.fields},
    }
    required = [field.name for field in message.fields if _rules(field).required]
    if strict:
        schema["additionalProperties"] = False
        if required:
            schema["required"] = required
    return schema


def _field(field: FieldDescriptor, comments: Comments, above: tuple[str, ...], *, strict: bool) -> dict[str, Any]:
    rules = _rules(field)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        value = field.message_type.fields_by_name["value"]
        schema: dict[str, Any] = {
            "type": "object",
            "additionalProperties": _single(value, comments, above, _rules(value), strict=strict),
        }
    elif field.is_repeated:
        items = _single(field, comments, above, rules.repeated.items, strict=strict)
        schema = {"type": "array", "items": items}
        if rules.repeated.HasField("min_items"):
            schema["minItems"] = rules.repeated.min_items
        if rules.repeated.HasField("max_items"):
            schema["maxItems"] = rules.repeated.max_items
    else:
        schema = _single(field, comments, above, rules, strict=strict)
    own = [_said(field, comments.of(field.full_name)), *(f"Rule: {rule.message}." for rule in rules.cel)]
    described = "\n\n".join(filter(None, own))
    return {**schema, "description": described} if described else schema


def _said(field: FieldDescriptor, comment: str) -> str:
    """A field's comment for people, who know no names of gRPC: "The document." for "DocRef is the document.".

    Of a name that has several words the field's own is left: "page_token goes on".
    """
    name = "".join(part.capitalize() for part in field.name.split("_"))
    first, _, rest = comment.partition(" ")
    if first != name:
        return comment
    verb, _, what = rest.partition(" ")
    if verb in {"is", "are"} and what:
        return what[0].upper() + what[1:]
    return f"{field.name} {rest}" if "_" in field.name else comment


def _single(
    field: FieldDescriptor,
    comments: Comments,
    above: tuple[str, ...],
    rules: validate_pb2.FieldRules,
    *,
    strict: bool,
) -> dict[str, Any]:
    """One value of the field's type."""
    if field.message_type is not None:
        known = WELL_KNOWN.get(field.message_type.full_name)
        return dict(known) if known is not None else _object(field.message_type, comments, above, strict=strict)
    if field.enum_type is not None:
        return {"enum": [value.name for value in field.enum_type.values]}
    if field.type == FieldDescriptor.TYPE_STRING:
        schema = _string(rules.string, optional=rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE)
        return schema | _SECRET if is_secret(field) else schema
    return _SCALARS[field.cpp_type] | _bounds(rules)


def _bounds(rules: validate_pb2.FieldRules) -> dict[str, Any]:
    """What a number's rules say of how small and how large it may be; nothing of one that may be 0 all the same."""
    kind = rules.WhichOneof("type")
    if kind not in _NUMBERS or rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
        return {}
    of_kind = getattr(rules, kind)
    return {keyword: getattr(of_kind, name) for name, keyword in _BOUNDS.items() if of_kind.HasField(name)}


def _string(rules: validate_pb2.StringRules, *, optional: bool) -> dict[str, Any]:
    """A string; one that is only checked when set may also be empty."""
    schema: dict[str, Any] = {"type": "string"}
    if rules.HasField("min_len"):
        schema["minLength"] = rules.min_len
    if rules.HasField("max_len"):
        schema["maxLength"] = rules.max_len
    elif rules.HasField("max_bytes"):  # JSON Schema counts characters, of which there are no more
        schema["maxLength"] = rules.max_bytes
    if rules.HasField("pattern"):
        schema["pattern"] = f"^$|{rules.pattern}" if optional else rules.pattern
    allowed = list(getattr(rules, "in"))
    if allowed:
        schema["enum"] = ["", *allowed] if optional else allowed
    return schema


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    return field.GetOptions().Extensions[validate_pb2.field]


def _full_name(file: FileDescriptorProto, path: Sequence[int]) -> str:
    """The full name of what a path of SourceCodeInfo leads to; empty for what has none, such as an option."""
    node: Any = file
    name = file.package
    for number, index in itertools.zip_longest(path[::2], path[1::2]):
        field = node.DESCRIPTOR.fields_by_number.get(number)
        if index is None or field is None or field.message_type is None or not field.is_repeated:
            return ""
        scope = name.rpartition(".")[0] if isinstance(node, EnumDescriptorProto) else name  # as in C
        node = getattr(node, field.name)[index]
        name = f"{scope}.{getattr(node, 'name', '')}"
    return name


def _unwrap(comment: str) -> str:
    """Joins the lines of a paragraph; keeps empty lines between paragraphs."""
    paragraphs = re.split(r"\n\s*\n", comment.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
