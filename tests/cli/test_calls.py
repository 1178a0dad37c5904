"""actions, upload and invoke, against an adapter over real HTTP."""

import hashlib
import json
import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]
TOKEN = "pm_secret"  # noqa: S105 - of nobody


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_catalogue_says_of_each_action_what_it_does_and_its_limits(papermesh: Run) -> None:
    result = papermesh("actions")
    assert result.exit_code == 0
    line = next(line for line in result.stdout.splitlines() if line.startswith("PDF_OUTLINE"))
    assert " ".join(line.split()) == "PDF_OUTLINE Shows the table of contents. 10 s 10 min 120/min"


def test_an_action_is_shown_with_its_arguments_and_an_example(papermesh: Run) -> None:
    shown = " ".join(papermesh("actions", "PDF_DIFF").stdout.split())
    assert "Compares two documents as one flow of text, and shows what changed between them." in shown
    assert "left document, required The earlier document." in shown
    assert "text | layout | both" in shown
    assert "papermesh invoke PDF_DIFF FILE FILE" in shown


def test_arguments_inside_objects_are_shown_with_their_path(papermesh: Run) -> None:
    shown = papermesh("actions", "GITLAB_PROJECT_INFO").stdout
    assert "project.project_path" in shown
    assert "papermesh invoke GITLAB_PROJECT_INFO project.project_path=…" in shown


def test_the_catalogue_comes_as_json_as_it_is(papermesh: Run, adapter: Any) -> None:
    assert papermesh("actions", "--json").stdout == adapter.text + "\n"


def test_one_action_comes_as_json(papermesh: Run) -> None:
    entry = json.loads(papermesh("actions", "PDF_TEXT", "--json").stdout)
    assert entry["name"] == "PDF_TEXT"
    assert entry["args_schema"]["required"] == ["doc_ref"]


def test_a_misspelt_action_is_answered_with_the_nearest(papermesh: Run) -> None:
    result = papermesh("actions", "pdf_metdata")
    assert result.exit_code == 2
    assert result.stderr == "There is no action pdf_metdata. Did you mean PDF_METADATA?\n"


def test_an_upload_prints_a_reference_ready_to_paste(papermesh: Run, adapter: Any, pdf: Path) -> None:
    result = papermesh("upload", str(pdf))
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"type": "UPLOAD", "sha256": digest(pdf)}
    assert adapter.documents[digest(pdf)] == pdf.read_bytes()
    assert "report.pdf: 12 bytes" in result.stderr


def test_several_uploads_print_a_line_each(papermesh: Run, pdf: Path, other_pdf: Path) -> None:
    lines = papermesh("upload", str(pdf), str(other_pdf)).stdout.splitlines()
    assert [json.loads(line)["sha256"] for line in lines] == [digest(pdf), digest(other_pdf)]


def test_an_upload_as_json_prints_the_envelope(papermesh: Run, adapter: Any, pdf: Path) -> None:
    result = papermesh("upload", "--json", str(pdf))
    assert result.stdout == adapter.text + "\n"
    assert not result.stderr


def test_a_large_file_goes_out_in_pieces(papermesh: Run, adapter: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.truncate(20_000_000)
    assert papermesh("upload", str(large)).exit_code == 0
    assert sum(adapter.pieces) == 20_000_000
    assert max(adapter.pieces) < 1_000_000


def test_an_upload_that_is_refused_names_the_file(papermesh: Run, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pdf"
    empty.touch()
    result = papermesh("upload", str(empty))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:2] == ["empty.pdf was not uploaded.", "BAD_ARG: The document is empty."]


def test_an_upload_of_nothing_is_a_mistake_of_usage(papermesh: Run, tmp_path: Path) -> None:
    assert papermesh("upload", str(tmp_path / "gone.pdf")).exit_code == 2


def test_a_file_is_uploaded_and_becomes_the_document_of_the_call(papermesh: Run, adapter: Any, pdf: Path) -> None:
    assert papermesh("invoke", "PDF_TEXT", str(pdf), "pages=1-3").exit_code == 0
    assert adapter.documents[digest(pdf)] == pdf.read_bytes()
    args = {"doc_ref": {"type": "UPLOAD", "sha256": digest(pdf)}, "pages": "1-3"}
    assert adapter.invoked == [{"action": "PDF_TEXT", "args": args}]


def test_a_comparison_takes_two_files(papermesh: Run, adapter: Any, pdf: Path, other_pdf: Path) -> None:
    assert papermesh("invoke", "PDF_DIFF", str(pdf), str(other_pdf)).exit_code == 0
    args = adapter.invoked[0]["args"]
    assert (args["left"]["sha256"], args["right"]["sha256"]) == (digest(pdf), digest(other_pdf))


@pytest.mark.parametrize("words", [['{"pages": "7"}'], ["--args", '{"pages": "7"}']])
def test_arguments_may_be_given_as_json(papermesh: Run, adapter: Any, words: list[str]) -> None:
    assert papermesh("invoke", "PDF_TEXT", *words).exit_code == 0
    assert adapter.invoked == [{"action": "PDF_TEXT", "args": {"pages": "7"}}]


def test_an_answer_as_json_is_the_envelope_and_nothing_else(papermesh: Run, adapter: Any) -> None:
    adapter.answer = {"items": [{"page": 1, "text": "제12조 \u001b[31m"}]}
    result = papermesh("invoke", "PDF_TEXT", "--json")
    assert result.stdout == adapter.text + "\n"
    assert not result.stderr


def test_a_refused_call_names_the_fields_at_fault(papermesh: Run, adapter: Any) -> None:
    fields = [{"field": "doc_ref.sha256", "description": "must be 64 digits"}]
    error = {"code": "BAD_ARG", "message": "The arguments are wrong.", "details": {"fields": fields}}
    adapter.answer = (400, error)
    result = papermesh("invoke", "PDF_TEXT")
    assert result.exit_code == 1
    assert not result.stdout
    lines = ["BAD_ARG: The arguments are wrong.", "  doc_ref.sha256: must be 64 digits", "  request 0198f00d"]
    assert result.stderr.splitlines() == lines


def test_a_limited_call_says_when_to_try_again(papermesh: Run, adapter: Any) -> None:
    adapter.answer = (429, {"code": "RATE_LIMIT", "message": "Too many calls.", "retry_after_ms": 5200})
    result = papermesh("invoke", "PDF_TEXT")
    assert result.stderr.startswith("RATE_LIMIT: Too many calls. (transient; try again in 5.2 s)\n")


def test_a_refused_call_as_json_prints_the_envelope_too(papermesh: Run, adapter: Any) -> None:
    adapter.answer = (500, {"code": "ENGINE_FAIL", "message": "The engine crashed on this document."})
    result = papermesh("invoke", "PDF_TEXT", "--json")
    assert result.exit_code == 1
    assert result.stdout == adapter.text + "\n"
    assert result.stderr.startswith("ENGINE_FAIL: The engine crashed on this document.\n")


def test_an_error_code_of_a_newer_adapter_is_still_shown(papermesh: Run, adapter: Any) -> None:
    adapter.answer = (418, {"code": "TEAPOT", "message": "Short and stout."})
    result = papermesh("invoke", "PDF_TEXT")
    assert result.exit_code == 1
    assert "TEAPOT: Short and stout." in result.stderr


@pytest.mark.parametrize("words", [[], ["pages=1"]])
def test_an_action_that_does_not_exist_is_the_adapters_to_refuse(papermesh: Run, words: list[str]) -> None:
    result = papermesh("invoke", "PDF_TEX", *words)
    assert result.exit_code == 1
    assert result.stderr.startswith("BAD_ARG: There is no action PDF_TEX. Did you mean PDF_TEXT?\n")


def test_a_word_that_fits_no_argument_is_a_mistake_of_usage(papermesh: Run, adapter: Any) -> None:
    result = papermesh("invoke", "PDF_TEXT", "pgs=1")
    assert result.exit_code == 2
    assert result.stderr == "There is no argument pgs. Arguments: doc_ref, pages, ocr, languages, include_hidden.\n"
    assert not adapter.invoked


def test_nobody_at_the_address_is_said_with_the_way_out(papermesh: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = papermesh("actions", PAPERMESH_URL="", PAPERMESH_HTTP_PORT=str(port))
    assert result.exit_code == 1
    assert f"No adapter answers at http://127.0.0.1:{port}." in " ".join(result.stderr.split())
    assert "`papermesh up` starts one" in " ".join(result.stderr.split())


def test_something_else_at_the_address_is_no_adapter(papermesh: Run, adapter: Any) -> None:
    result = papermesh("actions", "--url", adapter.url + "/elsewhere")
    assert result.exit_code == 1
    assert "is not an adapter (HTTP 404)" in " ".join(result.stderr.split())


@pytest.mark.parametrize("url", ["elsewhere", "ftp://x", "http://", "http://x:99999", "http://[x"])
def test_an_address_that_is_none_is_a_mistake_of_usage(papermesh: Run, url: str) -> None:
    result = papermesh("actions", "--url", url)
    assert result.exit_code == 2
    assert "is not the URL of an adapter" in result.stderr


def test_a_companys_proxy_is_not_asked_for_this_machine(papermesh: Run) -> None:
    assert papermesh("actions", HTTP_PROXY="http://127.0.0.1:1", NO_PROXY="").exit_code == 0


def test_the_installed_command_prints_korean_whatever_the_terminal_can_show(adapter: Any, pdf: Path) -> None:
    adapter.answer = {"items": [{"page": 1, "text": "제12조"}]}
    command = [Path(sys.executable).with_name("papermesh"), "invoke", "PDF_TEXT", pdf]
    variables = {"PAPERMESH_URL": adapter.url, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, env=variables, capture_output=True, check=True, timeout=60)
    assert result.stdout.splitlines()[0].startswith(b"-- page 1 ---")
    assert b"?12?" in result.stdout


def test_a_call_may_be_computed_anew_and_made_safe_to_repeat(papermesh: Run, adapter: Any) -> None:
    assert papermesh("invoke", "PDF_TEXT", "--no-cache", "--idempotency-key", "k-1").exit_code == 0
    [headers] = adapter.headers
    assert (headers["cache-control"], headers["idempotency-key"]) == ("no-cache", "k-1")


def test_a_call_is_neither_unless_asked(papermesh: Run, adapter: Any) -> None:
    assert papermesh("invoke", "PDF_TEXT").exit_code == 0
    assert {"cache-control", "idempotency-key", "authorization"}.isdisjoint(adapter.headers[0])


@pytest.mark.parametrize("key", ["", "a b", "한", "x" * 129])
def test_an_idempotency_key_that_is_none_is_a_mistake_of_usage(papermesh: Run, adapter: Any, key: str) -> None:
    assert papermesh("invoke", "PDF_TEXT", "--idempotency-key", key).exit_code == 2
    assert not adapter.invoked


@pytest.mark.parametrize("content", ["열쇠 7", "열쇠 7\n", "열쇠 7\r\nnot this", "\ufeff열쇠 7\n"])
def test_a_documents_password_comes_from_a_files_first_line(
    papermesh: Run, adapter: Any, pdf: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / "word").write_bytes(content.encode())
    result = papermesh("invoke", "PDF_TEXT", str(pdf), "--password-file", str(tmp_path / "word"))
    assert result.exit_code == 0
    [call] = adapter.invoked
    assert call["args"] == {"doc_ref": {"type": "UPLOAD", "sha256": digest(pdf), "password": "열쇠 7"}}
    assert "열쇠" not in result.output


def test_a_documents_password_comes_from_standard_input(adapter: Any, pdf: Path) -> None:
    command = [Path(sys.executable).with_name("papermesh"), "invoke", "PDF_TEXT", pdf, "--password-file", "-"]
    variables = {"PAPERMESH_URL": adapter.url, "PYTHONUTF8": "1"}
    subprocess.run(command, env=variables, input="열쇠 7\n".encode(), capture_output=True, check=True, timeout=60)
    assert adapter.invoked[0]["args"]["doc_ref"]["password"] == "열쇠 7"  # noqa: S105 - of nobody


def test_whoever_sits_at_a_terminal_is_asked_for_a_password_that_nobody_sees(adapter: Any, pdf: Path) -> None:
    command = [Path(sys.executable).with_name("papermesh"), "invoke", "PDF_TEXT", pdf, "--password-file", "-"]
    ours, theirs = pty.openpty()
    variables = {"PAPERMESH_URL": adapter.url}
    asked = subprocess.Popen(command, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = ""
    while "Password of the document: " not in shown:
        shown += os.read(ours, 1024).decode()
    os.write(ours, b"word-7\n")
    with suppress(OSError):  # the terminal's other end is closed
        while more := os.read(ours, 1024):
            shown += more.decode()
    os.close(ours)
    assert asked.wait(timeout=60) == 0
    assert adapter.invoked[0]["args"]["doc_ref"]["password"] == "word-7"  # noqa: S105 - of nobody
    assert "word-7" not in shown


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "empty"), (b"\nword", "empty"), (b"\xff\xfe", "UTF-8"), (None, "cannot be read")]
)
def test_a_file_without_a_password_is_a_mistake_of_usage(
    papermesh: Run, adapter: Any, tmp_path: Path, content: bytes | None, says: str
) -> None:
    pdf, word = tmp_path / "report.pdf", tmp_path / "word"
    pdf.write_bytes(b"%PDF-1.7")
    if content is not None:
        word.write_bytes(content)
    result = papermesh("invoke", "PDF_TEXT", str(pdf), "--password-file", str(word))
    assert result.exit_code == 2
    assert says in result.stderr
    assert (adapter.invoked, adapter.documents) == ([], {}), "and nothing was uploaded"


def test_uploads_are_deleted_by_digest_or_by_file(papermesh: Run, adapter: Any, pdf: Path, other_pdf: Path) -> None:
    papermesh("upload", str(pdf), str(other_pdf))
    result = papermesh("delete", str(pdf), digest(other_pdf))
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{digest(pdf)} is deleted.\n{digest(other_pdf)} is deleted.\n"
    assert not adapter.documents


def test_a_document_that_is_not_there_cannot_be_deleted(papermesh: Run, adapter: Any, pdf: Path) -> None:
    result = papermesh("delete", str(pdf), "--json")
    assert (result.exit_code, result.stdout) == (1, adapter.text + "\n")
    assert "NOT_FOUND" in result.stderr


def test_what_is_neither_a_digest_nor_a_file_is_a_mistake_of_usage(papermesh: Run, pdf: Path) -> None:
    for word in ("absent.pdf", str(pdf.parent), "ab" * 31):
        assert papermesh("delete", word).exit_code == 2


def test_a_key_or_token_says_who_calls(papermesh: Run, adapter: Any, pdf: Path) -> None:
    for words in (["actions"], ["invoke", "PDF_TEXT"], ["upload", str(pdf)], ["delete", str(pdf)]):
        assert papermesh(*words, PAPERMESH_TOKEN=TOKEN).exit_code == 0
    assert [headers["authorization"] for headers in adapter.headers] == [f"Bearer {TOKEN}"] * 3


@pytest.mark.parametrize("token", ["a b", "한", "a\nb"])
def test_what_is_no_token_is_not_sent_nor_shown(papermesh: Run, adapter: Any, token: str) -> None:
    result = papermesh("actions", PAPERMESH_TOKEN=token)
    assert result.exit_code == 2
    assert token not in result.stderr
    assert not adapter.headers


def test_a_token_is_not_sent_where_others_can_read_it(papermesh: Run) -> None:
    result = papermesh("actions", "--url", "http://papermesh.example:9000", PAPERMESH_TOKEN=TOKEN)
    assert result.exit_code == 2
    assert "Use https" in " ".join(result.stderr.split())
    assert TOKEN not in result.stderr
