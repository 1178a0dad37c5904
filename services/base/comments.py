"""The protos' comments at run time, by full name.

Python stubs drop comments, so they come from the source info of a descriptor set.
"""

import re
from collections.abc import Iterable

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto

# Field numbers of descriptor.proto, as SourceCodeInfo.Location.path spells them.
_FILE_MESSAGE, _FILE_ENUM, _FILE_SERVICE = 4, 5, 6
_MESSAGE_FIELD, _MESSAGE_NESTED, _MESSAGE_ENUM = 2, 3, 4
_SERVICE_METHOD, _ENUM_VALUE = 2, 2

_Path = tuple[int, ...]


class Comments:
    """Leading comments of messages, fields, enums, services and methods."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self._text: dict[str, str] = {}
        for file in files:
            places = {
                tuple(location.path): _unwrap(location.leading_comments) for location in file.source_code_info.location
            }
            names: dict[_Path, str] = {}
            for index, message in enumerate(file.message_type):
                _name_message(message, (_FILE_MESSAGE, index), file.package, names)
            for index, enum in enumerate(file.enum_type):
                _name_enum(enum, (_FILE_ENUM, index), file.package, names)
            for index, service in enumerate(file.service):
                path = (_FILE_SERVICE, index)
                names[path] = f"{file.package}.{service.name}"
                for number, method in enumerate(service.method):
                    names[(*path, _SERVICE_METHOD, number)] = f"{names[path]}.{method.name}"
            self._text.update({name: places.get(path, "") for path, name in names.items()})

    def of(self, full_name: str) -> str:
        """The comment of a thing, its lines joined; empty where there is none."""
        return self._text.get(full_name, "")


def _name_message(message: DescriptorProto, path: _Path, scope: str, names: dict[_Path, str]) -> None:
    names[path] = full = f"{scope}.{message.name}"
    for index, field in enumerate(message.field):
        names[(*path, _MESSAGE_FIELD, index)] = f"{full}.{field.name}"
    for index, nested in enumerate(message.nested_type):
        _name_message(nested, (*path, _MESSAGE_NESTED, index), full, names)
    for index, enum in enumerate(message.enum_type):
        _name_enum(enum, (*path, _MESSAGE_ENUM, index), full, names)


def _name_enum(enum: EnumDescriptorProto, path: _Path, scope: str, names: dict[_Path, str]) -> None:
    names[path] = f"{scope}.{enum.name}"
    for index, value in enumerate(enum.value):
        names[(*path, _ENUM_VALUE, index)] = f"{scope}.{value.name}"


def _unwrap(comment: str) -> str:
    """Joins the lines of a paragraph; keeps empty lines between paragraphs."""
    paragraphs = re.split(r"\n\s*\n", comment.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
