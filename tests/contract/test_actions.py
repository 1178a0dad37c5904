"""The protos, held against the design's table and against what is served."""

from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from papermesh.dispatch.v1 import dispatch_service_pb2
from services.base import actions
from services.base.actions import Rate
from services.base.schema import Comments
from services.dispatch.servicer import DispatchServicer
from services.pdf.operations import OPERATIONS
from services.pdf.servicer import PdfServicer

TABLE = actions.load()

_ANY: Any = object()
_PARTS = ("comparison", "reports", "retrieval")

SERVED = {
    "papermesh.dispatch.v1.DispatchService": {name for name in vars(DispatchServicer) if name[0].isupper()},
    "papermesh.pdf.v1.PdfService": {
        name for name in vars(PdfServicer(OPERATIONS, _ANY, _ANY, **dict.fromkeys(_PARTS, _ANY))) if name[0].isupper()
    },
}
"""The methods that a servicer has."""

# Action: method, seconds it may take, seconds it is cached (None: never), rate.
DESIGN = {
    "PDF_METADATA": ("pdf.v1.PdfService/GetMetadata", 10, 600, Rate(120, 20)),
    "PDF_OUTLINE": ("pdf.v1.PdfService/GetOutline", 10, 600, Rate(120, 20)),
    "PDF_TEXT": ("pdf.v1.PdfService/ExtractText", 10, 600, Rate(60, 10)),
    "PDF_LAYOUT": ("pdf.v1.PdfService/ExtractLayout", 20, 600, Rate(30, 10)),
    "PDF_TABLES": ("pdf.v1.PdfService/ExtractTables", 20, 600, Rate(30, 10)),
    "PDF_MARKDOWN": ("pdf.v1.PdfService/ToMarkdown", 20, 600, Rate(60, 10)),
    "PDF_SEARCH": ("pdf.v1.PdfService/Search", 20, 600, Rate(60, 10)),
    "PDF_PAGE_IMAGE": ("pdf.v1.PdfService/RenderPage", 20, 600, Rate(60, 20)),
    "PDF_CHUNK": ("pdf.v1.PdfService/Chunk", 20, 600, Rate(30, 10)),
    "PDF_EMBED": ("pdf.v1.PdfService/Embed", 45, 600, Rate(10, 3)),
    "PDF_DIFF": ("pdf.v1.PdfService/Diff", 30, 600, Rate(10, 3)),
    "GITLAB_PROJECT_INFO": ("gitlab.v1.GitlabService/GetProjectInfo", 10, 60, Rate(60, 10)),
    "GITLAB_GUIDE": ("gitlab.v1.GitlabService/RunGuide", 10, None, Rate(10, 3)),
    "GITLAB_GUIDE_STATUS": ("gitlab.v1.GitlabService/GetGuideRun", 10, None, Rate(120, 20)),
}

# Method of dispatch: whether the caller streams, whether dispatch does.
DISPATCH = {
    "Invoke": (False, False),
    "ListActions": (False, False),
    "PutDocument": (True, False),
    "GetDocument": (False, True),
    "DeleteDocument": (False, False),
    "ListDocuments": (False, False),
    "GetImage": (False, True),
    "GetReport": (False, True),
    "ListReports": (False, False),
    "SubmitJob": (False, False),
    "GetJob": (False, False),
    "WatchJob": (False, True),
    "GetJobResult": (False, False),
    "CancelJob": (False, False),
}


def test_the_actions_are_those_of_the_design() -> None:
    assert set(TABLE.actions) == set(DESIGN)


@pytest.mark.parametrize("name", DESIGN)
def test_an_action_has_the_designs_numbers(name: str) -> None:
    action = TABLE.actions[name]
    path, timeout, cache, rate = DESIGN[name]
    assert action.method.path == f"/papermesh.{path}"
    assert action.method.timeout == timedelta(seconds=timeout)
    assert action.cache_ttl == (None if cache is None else timedelta(seconds=cache))
    assert action.rate == rate


def test_only_running_a_guide_has_a_side_effect() -> None:
    assert [name for name, action in TABLE.actions.items() if not action.method.read_only] == ["GITLAB_GUIDE"]


@pytest.mark.parametrize("name", DESIGN)
def test_an_action_is_planned_as_long_as_nobody_serves_it(name: str) -> None:
    action = TABLE.actions[name]
    served = action.method.path.rsplit("/", 1)[-1] in SERVED.get(action.method.service, ())
    assert action.planned == (not served)


def test_every_method_that_callers_reach_has_a_rate() -> None:
    outside = [method for method in TABLE.methods.values() if method.service == "papermesh.dispatch.v1.DispatchService"]
    # Invoke is limited by the action that it names.
    assert [method.path.rsplit("/", 1)[-1] for method in outside if method.rate is None] == ["Invoke"]


def test_dispatch_has_the_designs_methods() -> None:
    service = dispatch_service_pb2.DESCRIPTOR.services_by_name["DispatchService"]
    found = {method.name: (method.client_streaming, method.server_streaming) for method in service.methods}
    assert found == DISPATCH


@pytest.mark.parametrize("name", DISPATCH)
def test_dispatch_serves_a_method_or_says_that_it_does_not_yet(name: str) -> None:
    comment = _comment(f"papermesh.dispatch.v1.DispatchService.{name}")
    assert hasattr(DispatchServicer, name) == ("UNIMPLEMENTED" not in comment)


@pytest.mark.parametrize("service", SERVED)
def test_a_servicer_has_no_method_that_its_proto_lacks(service: str) -> None:
    methods = {path.rsplit("/", 1)[-1] for path, method in TABLE.methods.items() if method.service == service}
    assert SERVED[service] <= methods


def test_every_method_of_the_mesh_ends_by_itself() -> None:
    # And the GitLab service's two for its siblings, pdf's one for reports, and what every service says of its engine.
    assert len(TABLE.methods) == len(DESIGN) + len(DISPATCH) + 2 + 1 + 1
    assert all(timedelta(0) < method.timeout <= timedelta(hours=1) for method in TABLE.methods.values())


def _comment(full_name: str) -> str:
    content = actions.BUILT_IN_DESCRIPTORS.read_bytes()
    return Comments(descriptor_pb2.FileDescriptorSet.FromString(content).file).of(full_name)
