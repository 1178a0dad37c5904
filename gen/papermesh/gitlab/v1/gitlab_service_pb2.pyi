import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from papermesh.document.v1 import document_pb2 as _document_pb2
from papermesh.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetProjectInfoRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: _document_pb2.ProjectRef
    def __init__(self, project: _Optional[_Union[_document_pb2.ProjectRef, _Mapping]] = ...) -> None: ...

class GetProjectInfoResponse(_message.Message):
    __slots__ = ("id", "description", "default_branch", "visibility", "topics", "languages", "last_activity_time", "open_merge_requests", "latest_pipeline_status", "latest_release", "readme_excerpt", "json")
    class LanguagesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_BRANCH_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    LAST_ACTIVITY_TIME_FIELD_NUMBER: _ClassVar[int]
    OPEN_MERGE_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    LATEST_PIPELINE_STATUS_FIELD_NUMBER: _ClassVar[int]
    LATEST_RELEASE_FIELD_NUMBER: _ClassVar[int]
    README_EXCERPT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    id: int
    description: str
    default_branch: str
    visibility: str
    topics: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.ScalarMap[str, float]
    last_activity_time: _timestamp_pb2.Timestamp
    open_merge_requests: int
    latest_pipeline_status: str
    latest_release: str
    readme_excerpt: str
    json: str
    def __init__(self, id: _Optional[int] = ..., description: _Optional[str] = ..., default_branch: _Optional[str] = ..., visibility: _Optional[str] = ..., topics: _Optional[_Iterable[str]] = ..., languages: _Optional[_Mapping[str, float]] = ..., last_activity_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., open_merge_requests: _Optional[int] = ..., latest_pipeline_status: _Optional[str] = ..., latest_release: _Optional[str] = ..., readme_excerpt: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class ResolveDocumentRequest(_message.Message):
    __slots__ = ("doc_ref",)
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ...) -> None: ...

class ResolveDocumentResponse(_message.Message):
    __slots__ = ("blob_id", "sha256", "size")
    BLOB_ID_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    blob_id: str
    sha256: str
    size: int
    def __init__(self, blob_id: _Optional[str] = ..., sha256: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class ListFilesRequest(_message.Message):
    __slots__ = ("project", "path", "ref")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    REF_FIELD_NUMBER: _ClassVar[int]
    project: _document_pb2.ProjectRef
    path: str
    ref: str
    def __init__(self, project: _Optional[_Union[_document_pb2.ProjectRef, _Mapping]] = ..., path: _Optional[str] = ..., ref: _Optional[str] = ...) -> None: ...

class ListFilesResponse(_message.Message):
    __slots__ = ("paths",)
    PATHS_FIELD_NUMBER: _ClassVar[int]
    paths: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, paths: _Optional[_Iterable[str]] = ...) -> None: ...

class RunGuideRequest(_message.Message):
    __slots__ = ("guide", "variables")
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    GUIDE_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    guide: str
    variables: _containers.ScalarMap[str, str]
    def __init__(self, guide: _Optional[str] = ..., variables: _Optional[_Mapping[str, str]] = ...) -> None: ...

class RunGuideResponse(_message.Message):
    __slots__ = ("run_id", "status", "web_url", "json")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WEB_URL_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    status: str
    web_url: str
    json: str
    def __init__(self, run_id: _Optional[str] = ..., status: _Optional[str] = ..., web_url: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class GetGuideRunRequest(_message.Message):
    __slots__ = ("run_id",)
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    run_id: str
    def __init__(self, run_id: _Optional[str] = ...) -> None: ...

class GetGuideRunResponse(_message.Message):
    __slots__ = ("status", "web_url", "jobs", "json")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WEB_URL_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    status: str
    web_url: str
    jobs: _containers.RepeatedCompositeFieldContainer[GuideJob]
    json: str
    def __init__(self, status: _Optional[str] = ..., web_url: _Optional[str] = ..., jobs: _Optional[_Iterable[_Union[GuideJob, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class GuideJob(_message.Message):
    __slots__ = ("name", "stage", "status")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    name: str
    stage: str
    status: str
    def __init__(self, name: _Optional[str] = ..., stage: _Optional[str] = ..., status: _Optional[str] = ...) -> None: ...
