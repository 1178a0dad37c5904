"""Bodies of calls that are not what they should be: each gets a typed answer that says what to mend."""

import json
import socket
from typing import Any

import pytest

from tests.e2e.support.adapter import Adapter
from tests.e2e.support.deployment import Deployment

MAX_BODY = 1024 * 1024


def nested(levels: int) -> dict[str, Any]:
    """Objects in one another, the outermost being the first level."""
    value: dict[str, Any] = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


def call(args: str) -> bytes:
    """A body whose arguments are written by hand."""
    return f'{{"action": "PDF_METADATA", "args": {args}}}'.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"{", b'{"action": "PDF_METADATA"', b"\xff\xfe\x00", b'{"action": "PDF_METADATA",}', b"\x00" * 100],
)
def test_a_body_that_is_not_json_is_refused(adapter: Adapter, body: bytes) -> None:
    adapter.invoke_raw(body).must_be("BAD_ARG", says="not JSON")


@pytest.mark.parametrize("body", [b"[]", b'"PDF_METADATA"', b"17", b"null", b"true"])
def test_json_that_is_no_object_is_refused(adapter: Adapter, body: bytes) -> None:
    adapter.invoke_raw(body).must_be("BAD_ARG", says="must be an object")


@pytest.mark.parametrize("action", [None, 17, "", [], {}, "PDF\nTEXT", "PDF_TEXTÉ"])
def test_an_action_that_is_no_name_is_refused(adapter: Adapter, action: Any) -> None:
    adapter.invoke_raw(json.dumps({"action": action}).encode()).must_be("BAD_ARG", field="action")


def test_a_body_without_an_action_is_refused(adapter: Adapter) -> None:
    adapter.invoke_raw(b"{}").must_be("BAD_ARG", field="action")


@pytest.mark.parametrize("action", ["PDF_MAGIC", "PDF_DIFF@v2", "GITLAB_PROJECT_INFO", "X" * 48])
def test_an_action_that_this_deployment_does_not_have_is_refused(adapter: Adapter, action: str) -> None:
    adapter.invoke(action).must_be("BAD_ARG", says="no such action", action=action)


@pytest.mark.parametrize("action", ["word count!", "pdf_text", "X" * 49, "X" * 3000])
def test_what_no_action_may_be_called_is_refused(adapter: Adapter, action: str) -> None:
    adapter.invoke(action).must_be("BAD_ARG", says="must be the name of an action", field="action")


@pytest.mark.parametrize("args", [[], "doc_ref", 17, None, True])
def test_arguments_that_are_no_object_are_refused(adapter: Adapter, args: Any) -> None:
    body = json.dumps({"action": "PDF_METADATA", "args": args}).encode()
    adapter.invoke_raw(body).must_be("BAD_ARG", field="args")


def test_a_field_beside_action_and_args_is_refused(adapter: Adapter) -> None:
    adapter.invoke_raw(b'{"action": "PDF_METADATA", "arguments": {}}').must_be("BAD_ARG", field="arguments")


def test_a_body_over_a_mebibyte_is_too_large(adapter: Adapter) -> None:
    answer = adapter.invoke_raw(call(json.dumps({"pages": "1" * MAX_BODY})))
    answer.must_be("TOO_LARGE", says="/documents", limit_bytes=str(MAX_BODY))


def test_a_body_over_a_mebibyte_that_announces_no_length_is_too_large(adapter: Adapter) -> None:
    pieces = (b" " * 65536 for _ in range(20))
    answer = adapter.request("POST", "/mcp/invoke", content=pieces)
    answer.must_be("TOO_LARGE", limit_bytes=str(MAX_BODY))


def test_a_body_of_just_a_mebibyte_is_read(adapter: Adapter) -> None:
    body = call("{}")
    adapter.invoke_raw(body + b" " * (MAX_BODY - len(body))).must_be("BAD_ARG", field="doc_ref")


def test_a_body_that_breaks_off_harms_nobody(mesh: Deployment) -> None:
    with socket.create_connection(("127.0.0.1", mesh.stack.ports.http), timeout=10) as connection:
        connection.sendall(b"POST /mcp/invoke HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
    mesh.must_still_work()


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**63, 10**30, -(10**30)])
def test_an_integer_that_json_cannot_carry_exactly_is_refused(adapter: Adapter, number: int) -> None:
    adapter.invoke_raw(call(f'{{"deep": [1, {{"here": {number}}}]}}')).must_be(
        "BAD_ARG", says="2^53", field="args.deep[1].here"
    )


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53) + 1, 0.1, 1e-300, -0.0])
def test_the_largest_exact_integers_and_all_fractions_are_carried(adapter: Adapter, number: float) -> None:
    # They fit no argument of this action; that dispatch says so shows that they arrived and were signed.
    adapter.invoke_raw(call(f'{{"number": {number!r}}}')).must_be("BAD_ARG", says="no such argument", field="number")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_is_not_finite_is_refused(adapter: Adapter, number: str) -> None:
    adapter.invoke_raw(call(f'{{"number": {number}}}')).must_be("BAD_ARG")


def test_thirty_levels_are_carried_and_the_thirty_first_is_refused(adapter: Adapter) -> None:
    adapter.invoke("PDF_METADATA", nested(30)).must_be("BAD_ARG", says="no such argument", field="a")
    adapter.invoke("PDF_METADATA", nested(31)).must_be("BAD_ARG", says="30 levels", field="args" + ".a" * 30)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_hundred_thousand_levels_are_refused(adapter: Adapter, opening: str) -> None:
    adapter.invoke_raw(call(opening * 100_000)).must_be("BAD_ARG")


@pytest.mark.parametrize(
    "text", [r"\ud800", r"\udc00\ud800", r"\ude00", "\ud800"], ids=["high", "swapped", "low", "raw"]
)
@pytest.mark.parametrize("place", ['{{"text": "{}"}}', '{{"{}": 1}}', '{{"a": [{{"b": ["{}"]}}]}}'])
def test_half_of_a_surrogate_pair_is_refused(adapter: Adapter, text: str, place: str) -> None:
    adapter.invoke_raw(call(place.format(text))).must_be("BAD_ARG")


def test_a_whole_surrogate_pair_is_a_letter_like_any_other(adapter: Adapter) -> None:
    adapter.invoke_raw(call(r'{"\ud83d\ude00": 1}')).must_be("BAD_ARG", says="no such argument", field="😀")


@pytest.mark.parametrize("path", ["/nothing", "/mcp/invoke/", "/documents/", "/docs/../../etc/passwd", "/%00"])
def test_an_unknown_path_is_not_found(adapter: Adapter, path: str) -> None:
    adapter.request("GET", path).must_be("NOT_FOUND", says="/docs")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/mcp/invoke", "POST"),
        ("PUT", "/mcp/invoke", "POST"),
        ("OPTIONS", "/mcp/invoke", "POST"),
        ("DELETE", "/documents", "GET, HEAD, POST"),
        ("POST", "/actions", "GET, HEAD"),
        ("PATCH", "/actions", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take_is_refused(adapter: Adapter, method: str, path: str, allowed: str) -> None:
    answer = adapter.http.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["error"]["code"] == "BAD_ARG"
    assert method in answer.json()["error"]["message"]


def test_a_compressed_body_is_refused(adapter: Adapter) -> None:
    answer = adapter.request("POST", "/mcp/invoke", content=call("{}"), headers={"Content-Encoding": "gzip"})
    answer.must_be("BAD_ARG", says="uncompressed", field="Content-Encoding")


def test_an_answer_of_the_adapter_alone_has_an_id_too(adapter: Adapter) -> None:
    assert adapter.invoke_raw(b"{").meta["request_id"] != adapter.invoke_raw(b"{").meta["request_id"]
