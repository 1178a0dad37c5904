from buf.validate import validate_pb2 as _validate_pb2
from papermesh.document.v1 import document_pb2 as _document_pb2
from papermesh.options.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PageFailure(_message.Message):
    __slots__ = ("page", "reason", "message")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    page: int
    reason: str
    message: str
    def __init__(self, page: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class Rectangle(_message.Message):
    __slots__ = ("x0", "y0", "x1", "y1")
    X0_FIELD_NUMBER: _ClassVar[int]
    Y0_FIELD_NUMBER: _ClassVar[int]
    X1_FIELD_NUMBER: _ClassVar[int]
    Y1_FIELD_NUMBER: _ClassVar[int]
    x0: float
    y0: float
    x1: float
    y1: float
    def __init__(self, x0: _Optional[float] = ..., y0: _Optional[float] = ..., x1: _Optional[float] = ..., y1: _Optional[float] = ...) -> None: ...

class GetMetadataRequest(_message.Message):
    __slots__ = ("doc_ref",)
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ...) -> None: ...

class GetMetadataResponse(_message.Message):
    __slots__ = ("pages", "sha256", "size", "version", "info", "encrypted", "page_sizes", "text_density", "has_text_layer", "sampled_pages", "failures", "json")
    class InfoEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PAGES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    ENCRYPTED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZES_FIELD_NUMBER: _ClassVar[int]
    TEXT_DENSITY_FIELD_NUMBER: _ClassVar[int]
    HAS_TEXT_LAYER_FIELD_NUMBER: _ClassVar[int]
    SAMPLED_PAGES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    pages: int
    sha256: str
    size: int
    version: str
    info: _containers.ScalarMap[str, str]
    encrypted: bool
    page_sizes: _containers.RepeatedCompositeFieldContainer[PageSize]
    text_density: float
    has_text_layer: bool
    sampled_pages: int
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, pages: _Optional[int] = ..., sha256: _Optional[str] = ..., size: _Optional[int] = ..., version: _Optional[str] = ..., info: _Optional[_Mapping[str, str]] = ..., encrypted: _Optional[bool] = ..., page_sizes: _Optional[_Iterable[_Union[PageSize, _Mapping]]] = ..., text_density: _Optional[float] = ..., has_text_layer: _Optional[bool] = ..., sampled_pages: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class PageSize(_message.Message):
    __slots__ = ("first_page", "last_page", "width", "height", "rotation")
    FIRST_PAGE_FIELD_NUMBER: _ClassVar[int]
    LAST_PAGE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ROTATION_FIELD_NUMBER: _ClassVar[int]
    first_page: int
    last_page: int
    width: float
    height: float
    rotation: int
    def __init__(self, first_page: _Optional[int] = ..., last_page: _Optional[int] = ..., width: _Optional[float] = ..., height: _Optional[float] = ..., rotation: _Optional[int] = ...) -> None: ...

class GetOutlineRequest(_message.Message):
    __slots__ = ("doc_ref",)
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ...) -> None: ...

class GetOutlineResponse(_message.Message):
    __slots__ = ("entries", "derived", "failures", "json")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    DERIVED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[OutlineEntry]
    derived: bool
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, entries: _Optional[_Iterable[_Union[OutlineEntry, _Mapping]]] = ..., derived: _Optional[bool] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class OutlineEntry(_message.Message):
    __slots__ = ("level", "title", "page")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    level: int
    title: str
    page: int
    def __init__(self, level: _Optional[int] = ..., title: _Optional[str] = ..., page: _Optional[int] = ...) -> None: ...

class ExtractTextRequest(_message.Message):
    __slots__ = ("doc_ref", "pages")
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    pages: str
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ..., pages: _Optional[str] = ...) -> None: ...

class ExtractTextResponse(_message.Message):
    __slots__ = ("items", "pages", "failures", "json")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PageText]
    pages: int
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, items: _Optional[_Iterable[_Union[PageText, _Mapping]]] = ..., pages: _Optional[int] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class PageText(_message.Message):
    __slots__ = ("page", "text", "ocr", "confidence")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    OCR_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    page: int
    text: str
    ocr: bool
    confidence: float
    def __init__(self, page: _Optional[int] = ..., text: _Optional[str] = ..., ocr: _Optional[bool] = ..., confidence: _Optional[float] = ...) -> None: ...

class ExtractLayoutRequest(_message.Message):
    __slots__ = ("doc_ref", "pages")
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    pages: str
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ..., pages: _Optional[str] = ...) -> None: ...

class ExtractLayoutResponse(_message.Message):
    __slots__ = ("pages", "failures", "json")
    PAGES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    pages: _containers.RepeatedCompositeFieldContainer[PageLayout]
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, pages: _Optional[_Iterable[_Union[PageLayout, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class PageLayout(_message.Message):
    __slots__ = ("page", "width", "height", "blocks")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    page: int
    width: float
    height: float
    blocks: _containers.RepeatedCompositeFieldContainer[Block]
    def __init__(self, page: _Optional[int] = ..., width: _Optional[float] = ..., height: _Optional[float] = ..., blocks: _Optional[_Iterable[_Union[Block, _Mapping]]] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("type", "bbox", "font", "size", "bold", "italic", "text")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    BBOX_FIELD_NUMBER: _ClassVar[int]
    FONT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    BOLD_FIELD_NUMBER: _ClassVar[int]
    ITALIC_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    type: str
    bbox: Rectangle
    font: str
    size: float
    bold: bool
    italic: bool
    text: str
    def __init__(self, type: _Optional[str] = ..., bbox: _Optional[_Union[Rectangle, _Mapping]] = ..., font: _Optional[str] = ..., size: _Optional[float] = ..., bold: _Optional[bool] = ..., italic: _Optional[bool] = ..., text: _Optional[str] = ...) -> None: ...

class ExtractTablesRequest(_message.Message):
    __slots__ = ("doc_ref", "pages", "csv")
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    pages: str
    csv: bool
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ..., pages: _Optional[str] = ..., csv: _Optional[bool] = ...) -> None: ...

class ExtractTablesResponse(_message.Message):
    __slots__ = ("tables", "failures", "json")
    TABLES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[Table]
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, tables: _Optional[_Iterable[_Union[Table, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class Table(_message.Message):
    __slots__ = ("page", "bbox", "rows", "csv")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    BBOX_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    CSV_FIELD_NUMBER: _ClassVar[int]
    page: int
    bbox: Rectangle
    rows: _containers.RepeatedCompositeFieldContainer[TableRow]
    csv: str
    def __init__(self, page: _Optional[int] = ..., bbox: _Optional[_Union[Rectangle, _Mapping]] = ..., rows: _Optional[_Iterable[_Union[TableRow, _Mapping]]] = ..., csv: _Optional[str] = ...) -> None: ...

class TableRow(_message.Message):
    __slots__ = ("cells",)
    CELLS_FIELD_NUMBER: _ClassVar[int]
    cells: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, cells: _Optional[_Iterable[str]] = ...) -> None: ...

class ChunkRequest(_message.Message):
    __slots__ = ("doc_ref", "pages", "max_chars")
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    MAX_CHARS_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    pages: str
    max_chars: int
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ..., pages: _Optional[str] = ..., max_chars: _Optional[int] = ...) -> None: ...

class ChunkResponse(_message.Message):
    __slots__ = ("chunks", "failures", "json")
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    chunks: _containers.RepeatedCompositeFieldContainer[TextChunk]
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, chunks: _Optional[_Iterable[_Union[TextChunk, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class TextChunk(_message.Message):
    __slots__ = ("text", "first_page", "last_page", "heading_path", "boxes", "start", "end")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FIRST_PAGE_FIELD_NUMBER: _ClassVar[int]
    LAST_PAGE_FIELD_NUMBER: _ClassVar[int]
    HEADING_PATH_FIELD_NUMBER: _ClassVar[int]
    BOXES_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    text: str
    first_page: int
    last_page: int
    heading_path: _containers.RepeatedScalarFieldContainer[str]
    boxes: _containers.RepeatedCompositeFieldContainer[ChunkBox]
    start: int
    end: int
    def __init__(self, text: _Optional[str] = ..., first_page: _Optional[int] = ..., last_page: _Optional[int] = ..., heading_path: _Optional[_Iterable[str]] = ..., boxes: _Optional[_Iterable[_Union[ChunkBox, _Mapping]]] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class ChunkBox(_message.Message):
    __slots__ = ("page", "bbox")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    BBOX_FIELD_NUMBER: _ClassVar[int]
    page: int
    bbox: Rectangle
    def __init__(self, page: _Optional[int] = ..., bbox: _Optional[_Union[Rectangle, _Mapping]] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ("doc_ref", "pages", "texts")
    DOC_REF_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    doc_ref: _document_pb2.DocumentRef
    pages: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, doc_ref: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ..., pages: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("model", "dimension", "embeddings", "failures", "json")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    model: str
    dimension: int
    embeddings: _containers.RepeatedCompositeFieldContainer[Embedding]
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, model: _Optional[str] = ..., dimension: _Optional[int] = ..., embeddings: _Optional[_Iterable[_Union[Embedding, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class Embedding(_message.Message):
    __slots__ = ("chunk", "vector")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    chunk: TextChunk
    vector: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, chunk: _Optional[_Union[TextChunk, _Mapping]] = ..., vector: _Optional[_Iterable[float]] = ...) -> None: ...

class DiffRequest(_message.Message):
    __slots__ = ("left", "right", "mode", "granularity", "pages")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    GRANULARITY_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    left: _document_pb2.DocumentRef
    right: _document_pb2.DocumentRef
    mode: str
    granularity: str
    pages: str
    def __init__(self, left: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ..., right: _Optional[_Union[_document_pb2.DocumentRef, _Mapping]] = ..., mode: _Optional[str] = ..., granularity: _Optional[str] = ..., pages: _Optional[str] = ...) -> None: ...

class DiffResponse(_message.Message):
    __slots__ = ("report_id", "report_url", "left", "right", "summary", "changes", "failures", "json")
    REPORT_ID_FIELD_NUMBER: _ClassVar[int]
    REPORT_URL_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    report_id: str
    report_url: str
    left: DiffDocument
    right: DiffDocument
    summary: DiffSummary
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    failures: _containers.RepeatedCompositeFieldContainer[PageFailure]
    json: str
    def __init__(self, report_id: _Optional[str] = ..., report_url: _Optional[str] = ..., left: _Optional[_Union[DiffDocument, _Mapping]] = ..., right: _Optional[_Union[DiffDocument, _Mapping]] = ..., summary: _Optional[_Union[DiffSummary, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[PageFailure, _Mapping]]] = ..., json: _Optional[str] = ...) -> None: ...

class DiffDocument(_message.Message):
    __slots__ = ("sha256", "pages")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    PAGES_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    pages: int
    def __init__(self, sha256: _Optional[str] = ..., pages: _Optional[int] = ...) -> None: ...

class DiffSummary(_message.Message):
    __slots__ = ("changes", "pages_affected", "by_op", "derived")
    class ByOpEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    PAGES_AFFECTED_FIELD_NUMBER: _ClassVar[int]
    BY_OP_FIELD_NUMBER: _ClassVar[int]
    DERIVED_FIELD_NUMBER: _ClassVar[int]
    changes: int
    pages_affected: int
    by_op: _containers.ScalarMap[str, int]
    derived: int
    def __init__(self, changes: _Optional[int] = ..., pages_affected: _Optional[int] = ..., by_op: _Optional[_Mapping[str, int]] = ..., derived: _Optional[int] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("id", "op", "derived", "address", "confidence", "left", "right", "format")
    ID_FIELD_NUMBER: _ClassVar[int]
    OP_FIELD_NUMBER: _ClassVar[int]
    DERIVED_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    id: int
    op: str
    derived: bool
    address: str
    confidence: float
    left: ChangeSide
    right: ChangeSide
    format: FormatChange
    def __init__(self, id: _Optional[int] = ..., op: _Optional[str] = ..., derived: _Optional[bool] = ..., address: _Optional[str] = ..., confidence: _Optional[float] = ..., left: _Optional[_Union[ChangeSide, _Mapping]] = ..., right: _Optional[_Union[ChangeSide, _Mapping]] = ..., format: _Optional[_Union[FormatChange, _Mapping]] = ...) -> None: ...

class ChangeSide(_message.Message):
    __slots__ = ("page", "text", "start", "end", "bbox", "context")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    BBOX_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    page: int
    text: str
    start: int
    end: int
    bbox: _containers.RepeatedCompositeFieldContainer[Rectangle]
    context: str
    def __init__(self, page: _Optional[int] = ..., text: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., bbox: _Optional[_Iterable[_Union[Rectangle, _Mapping]]] = ..., context: _Optional[str] = ...) -> None: ...

class FormatChange(_message.Message):
    __slots__ = ("bold", "size", "font")
    BOLD_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    FONT_FIELD_NUMBER: _ClassVar[int]
    bold: _containers.RepeatedScalarFieldContainer[bool]
    size: _containers.RepeatedScalarFieldContainer[float]
    font: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, bold: _Optional[_Iterable[bool]] = ..., size: _Optional[_Iterable[float]] = ..., font: _Optional[_Iterable[str]] = ...) -> None: ...
