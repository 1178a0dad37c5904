import pytest

from services.base.errors import Code
from services.pdf.processes.outcomes import from_worker


def said(code: str, **details: str) -> dict[str, object]:
    return {"code": code, "message": "It says so.", "violations": [], "details": details}


def test_what_a_document_is_at_fault_for_is_told_as_the_worker_says_it() -> None:
    error = from_worker(said("BAD_ARG", reason="broken"))
    assert (error.code, error.message, error.details) == (Code.BAD_ARG, "It says so.", {"reason": "broken"})


def test_a_program_that_took_too_long_is_no_crash() -> None:
    error = from_worker(said("ENGINE_FAIL", reason="time"))
    assert (error.code, error.details) == (Code.ENGINE_FAIL, {"reason": "time"})
    assert "took too long" in error.message


@pytest.mark.parametrize(
    "error",
    [
        said("ENGINE_FAIL"),
        said("ENGINE_FAIL", reason="not_started"),
        said("TIMEOUT", reason="time"),
        said("UNAVAILABLE"),
        said("NO_CODE"),
        {"code": "BAD_ARG"},
        {"code": "BAD_ARG", "message": "", "violations": [1], "details": {}},
        {"code": "BAD_ARG", "message": "", "violations": [], "details": []},
    ],
)
def test_anything_else_that_a_worker_says_is_a_crash(error: dict[str, object]) -> None:
    found = from_worker(error)
    assert (found.code, found.details) == (Code.ENGINE_FAIL, {"reason": "crash"})
    assert "It says so" not in found.message
