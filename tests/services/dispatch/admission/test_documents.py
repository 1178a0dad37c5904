from pathlib import Path

import pytest
from google.protobuf.message import Message

from papermesh.document.v1 import document_pb2
from papermesh.gitlab.v1 import gitlab_service_pb2
from papermesh.pdf.v1 import diff_pb2, embed_pb2, pdf_service_pb2
from services.base import actions
from services.base.actions import Action
from services.base.errors import Code, PapermeshError
from services.dispatch.admission import arguments, documents
from services.dispatch.admission.clients import Client
from services.dispatch.admission.rights import Rights
from tests.support.protos import compile_proto

SHA, OTHER_SHA = "ab" * 32, "cd" * 32


def upload(sha256: str = SHA) -> document_pb2.DocumentRef:
    return document_pb2.DocumentRef(type="UPLOAD", sha256=sha256)


def gitlab(project: str = "corp/policies") -> document_pb2.DocumentRef:
    return document_pb2.DocumentRef(type="GITLAB", project_path=project, path="a.pdf")


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (pdf_service_pb2.GetMetadataRequest(doc_ref=upload()), [upload()]),
        (diff_pb2.DiffRequest(left=upload(), right=gitlab()), [upload(), gitlab()]),
        (embed_pb2.EmbedRequest(texts=["a"]), []),
        (gitlab_service_pb2.GetProjectInfoRequest(), []),
    ],
)
def test_documents_are_found_by_type(request_: Message, found: list[document_pb2.DocumentRef]) -> None:
    assert documents.named(request_) == found


BODY = """
// Shelf with documents everywhere, and shelves inside.
message Shelf {
  // One document.
  papermesh.document.v1.DocumentRef one = 1;
  // Many documents.
  repeated papermesh.document.v1.DocumentRef many = 2;
  // Named documents.
  map<string, papermesh.document.v1.DocumentRef> named = 3;
  // Shelves inside.
  repeated Shelf shelves = 4;
  // Shelves by name.
  map<string, Shelf> by_name = 5;
  // Either of two.
  oneof either {
    // A project.
    papermesh.document.v1.ProjectRef project = 6;
    // A shelf.
    Shelf shelf = 7;
  }
  // Text that is no document.
  string text = 8;
}
// AskRequest has a shelf.
message AskRequest {
  // Shelf to look at.
  Shelf shelf = 1;
}
// AskResponse answers.
message AskResponse {
  // Json is this result as JSON text.
  string json = 1;
}
// HouseService is in-house.
service HouseService {
  // Ask asks.
  rpc Ask(AskRequest) returns (AskResponse) {
    option (papermesh.options.v1.action) = {
      name: "HOUSE_DOCUMENTS" timeout: {seconds: 3} rate: {requests_per_minute: 60 burst: 5}
    };
  }
}
"""
DOCUMENT = {"type": "GITLAB", "project_path": "secret/project", "path": "a.pdf"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Action:
    folder: Path = tmp_path_factory.mktemp("protos")
    return actions.load(compile_proto(BODY, folder).descriptors).actions["HOUSE_DOCUMENTS"]


@pytest.mark.parametrize(
    "shelf",
    [
        {"one": DOCUMENT},
        {"many": [DOCUMENT]},
        {"named": {"a": DOCUMENT}},
        {"shelf": {"one": DOCUMENT}},
        {"shelves": [{"one": DOCUMENT}]},
        {"shelves": [{}, {"shelves": [{"many": [DOCUMENT]}]}]},
        {"by_name": {"a": {"by_name": {"b": {"shelf": {"named": {"c": DOCUMENT}}}}}}},
    ],
)
def test_documents_are_found_wherever_they_stand(
    house: Action, known_clients: dict[str, Client], shelf: dict[str, object]
) -> None:
    request = arguments.parse(house, {"shelf": shelf})
    assert [each.project_path for each in documents.named(request)] == ["secret/project"]
    with pytest.raises(PapermeshError) as caught:
        documents.check_projects(request, documents.named(request), rights(known_clients["reports"]))
    assert caught.value.code is Code.FORBIDDEN


def rights(client: Client) -> Rights:
    """Those of the client itself."""
    return client.rights(client.id)


def test_projects_are_found_wherever_they_stand(house: Action, known_clients: dict[str, Client]) -> None:
    project = {"project_path": "secret/project"}
    request = arguments.parse(house, {"shelf": {"shelves": [{"shelf": {"project": project}}]}})
    with pytest.raises(PapermeshError, match="may not read that project"):
        documents.check_projects(request, documents.named(request), rights(known_clients["reports"]))
    documents.check_projects(request, documents.named(request), rights(known_clients["adapter"]))


def test_a_client_reads_its_own_projects(known_clients: dict[str, Client]) -> None:
    for request in (
        diff_pb2.DiffRequest(left=gitlab("corp/a"), right=gitlab("corp/b/c")),
        pdf_service_pb2.GetMetadataRequest(doc_ref=upload()),
        gitlab_service_pb2.GetProjectInfoRequest(project=document_pb2.ProjectRef(project_path="corp/a")),
    ):
        documents.check_projects(request, documents.named(request), rights(known_clients["reports"]))


def test_one_foreign_project_is_enough_to_refuse(known_clients: dict[str, Client]) -> None:
    request = diff_pb2.DiffRequest(left=gitlab("corp/a"), right=gitlab("other/b"))
    with pytest.raises(PapermeshError) as caught:
        documents.check_projects(request, documents.named(request), rights(known_clients["reports"]))
    assert caught.value.code is Code.FORBIDDEN
    assert "other/b" not in caught.value.message


def test_each_upload_needs_its_right() -> None:
    assert documents.uploads([upload(), upload(OTHER_SHA), upload()]) == [SHA, OTHER_SHA, SHA]
    assert documents.uploads([]) == []


def test_a_document_in_gitlab_cannot_be_resolved_yet() -> None:
    with pytest.raises(PapermeshError, match="no GitLab service") as caught:
        documents.uploads([upload(), gitlab()])
    assert caught.value.code is Code.BAD_ARG


@pytest.mark.parametrize("sha256", ["", "ab", "AB" * 32, "../" * 21 + "a", SHA + "\n"])
def test_what_is_no_digest_names_no_upload(sha256: str) -> None:
    with pytest.raises(PapermeshError) as caught:
        documents.uploads([upload(), upload(sha256)])
    assert [each.field for each in caught.value.violations] == ["doc_ref.sha256"]


@pytest.mark.parametrize("owned", [[False], [True, False]])
def test_somebody_elses_document_is_not_found(owned: list[bool]) -> None:
    with pytest.raises(PapermeshError) as caught:
        documents.check_rights(owned)
    assert caught.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("owned", [[], [True], [True, True]])
def test_ones_own_documents_may_be_read(owned: list[bool]) -> None:
    documents.check_rights(owned)
