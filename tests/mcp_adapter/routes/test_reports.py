"""Reports of comparisons."""

import os

import httpx
import pytest

from services.base.errors import Code, PapermeshError
from tests.mcp_adapter.conftest import Dispatch

PAGE = os.urandom(600_000)
REPORT = "/reports/rep_a-b_c"


@pytest.fixture(autouse=True)
def made(dispatch: Dispatch) -> None:
    dispatch.reports["rep_a-b_c"] = PAGE


async def test_a_report_is_a_page_with_an_origin_of_its_own(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    response = await client.get(REPORT)
    assert (response.status_code, response.content) == (200, PAGE)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-disposition"] == 'inline; filename="rep_a-b_c.html"'
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts ")
    assert "allow-same-origin" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    [asked] = dispatch.asked_reports
    assert (asked.report_id, asked.format, asked.HasField("filter"), asked.actor) == (
        "rep_a-b_c",
        "html",
        False,
        "local",
    )


@pytest.mark.parametrize(
    ("extension", "media_type"),
    [
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("pdf", "application/pdf"),
    ],
)
async def test_a_file_of_it_is_downloaded(
    client: httpx.AsyncClient, dispatch: Dispatch, extension: str, media_type: str
) -> None:
    response = await client.get(f"{REPORT}.{extension}")
    assert response.headers["content-type"] == media_type
    assert response.headers["content-disposition"] == f'attachment; filename="rep_a-b_c.{extension}"'
    assert "content-security-policy" not in response.headers
    [asked] = dispatch.asked_reports
    assert (asked.report_id, asked.format) == ("rep_a-b_c", extension)


async def test_the_query_filters_a_file(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    await client.get(f"{REPORT}.csv?op=insert&op=delete&kind=text&derived=false&uncertain=true")
    [asked] = dispatch.asked_reports
    assert (list(asked.filter.op), list(asked.filter.kind)) == (["insert", "delete"], ["text"])
    assert (asked.filter.HasField("derived"), asked.filter.derived, asked.filter.uncertain) == (True, False, True)


async def test_a_flag_is_true_or_false(client: httpx.AsyncClient) -> None:
    response = await client.get(f"{REPORT}.csv?derived=maybe")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_ARG")


async def test_files_of_other_filters_have_other_tags(client: httpx.AsyncClient) -> None:
    tags = {(await client.head(f"{REPORT}.csv{query}")).headers["etag"] for query in ("", "?op=insert", "?op=delete")}
    assert len(tags) == 3
    response = await client.get(
        f"{REPORT}.csv", headers={"If-None-Match": (await client.head(f"{REPORT}.csv")).headers["etag"]}
    )
    assert (response.status_code, response.content) == (304, b"")


async def test_what_is_no_id_is_not_found(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    for name in ("rep_a.docx", "rep_a.html", "rep%20a"):
        response = await client.get(f"/reports/{name}")
        assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert dispatch.asked_reports == []


async def test_what_dispatch_answers_is_told(client: httpx.AsyncClient, dispatch: Dispatch) -> None:
    dispatch.error = PapermeshError(Code.NOT_FOUND, "There is no such report.")
    response = await client.get(REPORT)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "NOT_FOUND")


async def test_a_ticket_opens_a_report_and_its_files(client: httpx.AsyncClient) -> None:
    for path in (REPORT, f"{REPORT}.xlsx"):
        made = await client.post("/tickets", json={"path": path})
        assert (await client.get(made.json()["data"]["url"])).content == PAGE


async def test_reports_are_listed(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/reports?page_size=5&page_token=t")).json()
    [listed] = answer["data"]["reports"]
    assert (listed["report_id"], listed["report_url"]) == ("rep_a-b_c", REPORT)
    assert listed["left"] == {"type": "UPLOAD", "sha256": "a" * 64}
    assert listed["right"] == {"type": "UPLOAD", "sha256": "b" * 64}
    assert answer["data"]["next_page_token"] == "t+"  # noqa: S105  # the token of a page
    assert answer["meta"]["request_id"] == "r-6"
    assert (await client.get("/reports?page_size=0")).status_code == 400
