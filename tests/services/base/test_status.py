import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from services.base import status
from services.base.errors import Code, FieldViolation, PapermeshError

GRPC_OF = {
    Code.BAD_ARG: grpc.StatusCode.INVALID_ARGUMENT,
    Code.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Code.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Code.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Code.CONFLICT: grpc.StatusCode.ALREADY_EXISTS,
    Code.TOO_LARGE: grpc.StatusCode.OUT_OF_RANGE,
    Code.RATE_LIMIT: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    Code.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.ENGINE_FAIL: grpc.StatusCode.INTERNAL,
    Code.INTERNAL: grpc.StatusCode.INTERNAL,
}
HTTP_OF = {
    Code.BAD_ARG: 400,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.CONFLICT: 409,
    Code.TOO_LARGE: 413,
    Code.RATE_LIMIT: 429,
    Code.TIMEOUT: 504,
    Code.UNAVAILABLE: 503,
    Code.ENGINE_FAIL: 500,
    Code.INTERNAL: 500,
}


def failed(code: grpc.StatusCode, text: str = "", details: bytes | None = None) -> grpc.aio.AioRpcError:
    trailing = [] if details is None else [(status.DETAILS_KEY, details)]
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), text)


def sent(error: PapermeshError, *, behind_mesh: bool = False) -> PapermeshError:
    """The error as it arrives at the other end."""
    code = status.status_code(error, behind_mesh=behind_mesh)
    return status.decode(failed(code, status.text(error), status.encode(error, code)))


@pytest.mark.parametrize("code", Code)
def test_every_code_has_its_grpc_and_http_status(code: Code) -> None:
    assert status.status_code(PapermeshError(code, "")) is GRPC_OF[code]
    assert code.http_status == HTTP_OF[code]
    assert code.is_transient == (code in {Code.RATE_LIMIT, Code.TIMEOUT, Code.UNAVAILABLE})


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("retry_after_ms", [None, 0, 1, 5000])
def test_an_error_arrives_as_it_was_sent(code: Code, retry_after_ms: int | None) -> None:
    error = PapermeshError(
        code,
        "제12조를 찾을 수 없습니다.",
        retry_after_ms=retry_after_ms,
        violations=(FieldViolation("doc_ref.sha256", "must be set"), FieldViolation("pages", "no")),
        details={"limit_bytes": "100"},
        request_id="r-1",
    )
    arrived = sent(error)
    assert (arrived.code, arrived.message, arrived.retry_after_ms) == (code, error.message, retry_after_ms)
    assert (arrived.violations, dict(arrived.details)) == (error.violations, error.details)
    assert arrived.request_id == "r-1"


@pytest.mark.parametrize("code", Code)
def test_an_error_with_nothing_but_a_message_arrives_so(code: Code) -> None:
    arrived = sent(PapermeshError(code, "No."))
    assert (arrived.code, arrived.message, arrived.retry_after_ms) == (code, "No.", None)
    assert (arrived.violations, dict(arrived.details), arrived.request_id) == ((), {}, "")


def test_a_time_out_behind_the_mesh_is_internal_to_envoy_and_a_time_out_to_people() -> None:
    error = PapermeshError(Code.TIMEOUT, "Too slow.")
    assert status.status_code(error, behind_mesh=True) is grpc.StatusCode.INTERNAL
    assert sent(error, behind_mesh=True).code is Code.TIMEOUT


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("store_gone", grpc.StatusCode.INTERNAL),
        ("store_away", grpc.StatusCode.INTERNAL),
        ("work_full", grpc.StatusCode.UNAVAILABLE),
        ("", grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_what_all_hosts_share_puts_none_of_them_out(reason: str, code: grpc.StatusCode) -> None:
    error = PapermeshError(Code.UNAVAILABLE, "Not now.", details={"reason": reason} if reason else {})
    assert status.status_code(error, behind_mesh=True) is code
    assert status.status_code(error) is grpc.StatusCode.UNAVAILABLE
    assert sent(error, behind_mesh=True).details == error.details


@pytest.mark.parametrize(
    ("bare", "code"),
    [
        *((grpc_code, code) for code, grpc_code in GRPC_OF.items() if grpc_code is not grpc.StatusCode.INTERNAL),
        (grpc.StatusCode.INTERNAL, Code.INTERNAL),
        (grpc.StatusCode.UNKNOWN, Code.INTERNAL),
        (grpc.StatusCode.DATA_LOSS, Code.INTERNAL),
        (grpc.StatusCode.UNIMPLEMENTED, Code.INTERNAL),
    ],
)
def test_a_bare_status_is_translated_and_its_words_are_not_shown(bare: grpc.StatusCode, code: Code) -> None:
    error = status.decode(failed(bare, "upstream connect error or disconnect/reset before headers"))
    assert error.code is code
    assert "upstream" not in error.message
    assert error.message
    assert (error.retry_after_ms is not None) == (code is Code.RATE_LIMIT)


@pytest.mark.parametrize("text", ["Received RST_STREAM with error code 0", "Internal error from Core"])
def test_a_stream_that_was_cut_off_is_no_bug_of_ours(text: str) -> None:
    assert status.decode(failed(grpc.StatusCode.INTERNAL, text)).code is Code.UNAVAILABLE


def test_grpcs_own_answer_to_a_large_message_is_too_large() -> None:
    text = "CLIENT: Received message larger than max (20000000 vs. 16842752)"
    assert status.decode(failed(grpc.StatusCode.RESOURCE_EXHAUSTED, text)).code is Code.TOO_LARGE


@pytest.mark.parametrize(
    "details",
    [
        b"",
        b"\xff\xff\xff",
        status_pb2.Status(message="theirs").SerializeToString(),
    ],
)
def test_details_that_are_not_ours_leave_the_bare_status(details: bytes) -> None:
    assert status.decode(failed(grpc.StatusCode.NOT_FOUND, "", details)).code is Code.NOT_FOUND


@pytest.mark.parametrize(("reason", "domain"), [("NOT_FOUND", "googleapis.com"), ("NEW_CODE", "papermesh"), ("", "")])
def test_a_reason_that_we_do_not_know_leaves_the_bare_status(reason: str, domain: str) -> None:
    theirs = status_pb2.Status(code=14, message="theirs")
    theirs.details.add().Pack(error_details_pb2.ErrorInfo(reason=reason, domain=domain))
    error = status.decode(failed(grpc.StatusCode.UNAVAILABLE, "", theirs.SerializeToString()))
    assert (error.code, error.message == "theirs") == (Code.UNAVAILABLE, False)


def test_a_broken_detail_leaves_the_bare_status() -> None:
    theirs = status_pb2.Status(code=14)
    theirs.details.add(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")
    assert status.decode(failed(grpc.StatusCode.UNAVAILABLE, "", theirs.SerializeToString())).code is Code.UNAVAILABLE


@pytest.mark.parametrize("letter", ["a", "제", "\U0001f600"])
def test_what_would_not_fit_into_trailers_is_cut_off(letter: str) -> None:
    error = PapermeshError(
        Code.BAD_ARG,
        letter * 100_000,
        violations=tuple(FieldViolation(letter * 5000, letter * 5000) for _ in range(500)),
        details={f"fact_{number}": letter * 300 for number in range(100)},
        request_id="r-1",
    )
    assert len(status.encode(error, grpc.StatusCode.INVALID_ARGUMENT)) <= 5000
    assert len(status.text(error).encode()) <= 1000
    arrived = sent(error)
    assert arrived.message.strip(letter) == ""
    assert (arrived.code, arrived.request_id) == (Code.BAD_ARG, "r-1")
    assert arrived.violations[0].field.strip(letter) == ""
