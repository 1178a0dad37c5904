from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class DocumentRef(_message.Message):
    __slots__ = ("type", "project_path", "path", "ref", "sha256")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_PATH_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    type: str
    project_path: str
    path: str
    ref: str
    sha256: str
    def __init__(self, type: _Optional[str] = ..., project_path: _Optional[str] = ..., path: _Optional[str] = ..., ref: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class ProjectRef(_message.Message):
    __slots__ = ("project_path",)
    PROJECT_PATH_FIELD_NUMBER: _ClassVar[int]
    project_path: str
    def __init__(self, project_path: _Optional[str] = ...) -> None: ...
