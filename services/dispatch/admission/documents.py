"""The documents and projects in an action's arguments, found by message type at any depth."""

import functools
from collections.abc import Iterator, Sequence
from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from papermesh.document.v1 import document_pb2
from services.base.documents import check_digest
from services.base.errors import Code, PapermeshError, bad_arg
from services.dispatch.admission.rights import Rights

UPLOAD, GITLAB = "UPLOAD", "GITLAB"

_DOCUMENT = document_pb2.DocumentRef.DESCRIPTOR.full_name
_PROJECT = document_pb2.ProjectRef.DESCRIPTOR.full_name


def named(message: Message) -> list[document_pb2.DocumentRef]:
    """The documents that a request names, in the order of its fields."""
    return [cast("document_pb2.DocumentRef", found) for found in _find(message, _DOCUMENT)]


def by_content(message: Message) -> Message:
    """A copy of a request in which each document is named by its digest alone."""
    copy = type(message)()
    copy.CopyFrom(message)
    for document in named(copy):
        digest = document.sha256
        document.Clear()
        document.sha256 = digest
    return copy


def check_projects(message: Message, documents: Sequence[document_pb2.DocumentRef], rights: Rights) -> None:
    """Refuses a request that names a GitLab project, directly or in a document, that the caller may not read.

    Args:
        message: The request.
        documents: Those that it names.
        rights: The caller's.

    Raises:
        PapermeshError: FORBIDDEN.
    """
    paths = [cast("document_pb2.ProjectRef", found).project_path for found in _find(message, _PROJECT)]
    paths += [document.project_path for document in documents if document.type == GITLAB]
    for path in paths:
        if not rights.may_read_project(path):
            raise PapermeshError(Code.FORBIDDEN, "This client and actor may not read that project.")


def uploads(documents: Sequence[document_pb2.DocumentRef]) -> list[str]:
    """The digests that need a right, one per document.

    Raises:
        PapermeshError: BAD_ARG for a document in GitLab, which this deployment cannot resolve, or without any document.
    """
    for document in documents:
        if document.type == GITLAB:
            raise bad_arg("This deployment has no GitLab service. Upload the document instead.", reason="no_gitlab")
        if document.type != UPLOAD:
            raise bad_arg("Name the document by a doc_ref of type UPLOAD, with its sha256.")
        check_digest(document.sha256, "doc_ref.sha256")
    return [document.sha256 for document in documents]


def check_rights(owned: Sequence[bool]) -> None:
    """Refuses a call that names an upload other than the caller's own.

    The answer is the same whether or not the bytes exist: a digest is neither a key nor an oracle.

    Raises:
        PapermeshError: NOT_FOUND.
    """
    if not all(owned):
        raise PapermeshError(
            Code.NOT_FOUND,
            "There is no such document for this client and actor. Upload it first, with the same client and actor.",
        )


def kinds_within(kind: Descriptor) -> list[Descriptor]:
    """A message type and all that it can hold, which may include itself; each once."""
    found = {kind.full_name: kind}
    ahead = [kind]
    while ahead:
        for field in ahead.pop().fields:
            inner = field.message_type
            if inner is not None and inner.full_name not in found:
                found[inner.full_name] = inner
                ahead.append(inner)
    return list(found.values())


def _find(message: Message, wanted: str) -> Iterator[Message]:
    if message.DESCRIPTOR.full_name == wanted:
        yield message
        return
    for field in _ways(message.DESCRIPTOR, wanted):
        value = getattr(message, field.name)
        if field.is_repeated:
            is_map = cast("Descriptor", field.message_type).GetOptions().map_entry
            for item in value.values() if is_map else value:
                yield from _find(item, wanted)
        elif message.HasField(field.name):
            yield from _find(value, wanted)


@functools.cache
def _ways(kind: Descriptor, wanted: str) -> tuple[FieldDescriptor, ...]:
    """The fields of a message type that can hold a wanted message at any depth."""
    return tuple(field for field in kind.fields if _may_hold(field, wanted))


def _may_hold(field: FieldDescriptor, wanted: str) -> bool:
    inner = field.message_type
    return inner is not None and any(each.full_name == wanted for each in kinds_within(inner))
