from pathlib import Path
from typing import Any

import pytest

from cli import arguments
from cli.arguments import LocalFile
from cli.failures import UsageError
from services.base import actions

DIGEST = "0a" * 32

DOCUMENT = {"type": "object", "properties": {"type": {"type": "string"}, "sha256": {"type": "string"}}}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "note": {"type": "string"},
        "appendix": DOCUMENT,
        "contract": DOCUMENT,
        "others": {"type": "array", "items": DOCUMENT},
        "strict": {"type": "boolean"},
        "depth": {"type": "integer"},
        "ratio": {"type": "number"},
        "kind": {"enum": ["A", "B"]},
        "words": {"type": "array", "items": {"type": "string"}},
        "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
        "anything": {},
    },
    "required": ["contract"],
}


def read(*words: str, schema: dict[str, Any] = SCHEMA, given: dict[str, Any] | None = None) -> dict[str, Any]:
    return arguments.read(words, given or {}, schema)


def of(action: str) -> dict[str, Any]:
    return dict(actions.load().actions[action].args_schema)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("note=12", {"note": "12"}),
        ("note=true", {"note": "true"}),
        ("note=", {"note": ""}),
        ("note=a=b", {"note": "a=b"}),
        ("note=여러\n줄", {"note": "여러\n줄"}),
        ("kind=B", {"kind": "B"}),
        ("strict=false", {"strict": False}),
        ("depth=-3", {"depth": -3}),
        ("ratio=0.5", {"ratio": 0.5}),
        ("ratio=2", {"ratio": 2}),
        ("labels.a=1", {"labels": {"a": 1}}),
        ('labels={"a": 1}', {"labels": {"a": 1}}),
        ('words=["a", "b"]', {"words": ["a", "b"]}),
        ("anything=text", {"anything": "text"}),
        ('anything={"a": [1]}', {"anything": {"a": [1]}}),
        (f"appendix={DIGEST}", {"appendix": {"type": "UPLOAD", "sha256": DIGEST}}),
        ('appendix={"type": "GITLAB"}', {"appendix": {"type": "GITLAB"}}),
        ("appendix.type=GITLAB", {"appendix": {"type": "GITLAB"}}),
    ],
)
def test_a_value_has_the_type_that_the_schema_says(word: str, value: dict[str, Any]) -> None:
    assert read(word) == value


def test_a_list_grows_with_each_word() -> None:
    assert read("words=a", "words=b") == {"words": ["a", "b"]}


def test_words_are_added_to_the_json_that_was_given() -> None:
    given = {"labels": {"a": 1}, "note": "old"}
    assert read("labels.b=2", "note=new", given=given) == {"labels": {"a": 1, "b": 2}, "note": "new"}
    assert given == {"labels": {"a": 1}, "note": "old"}


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("strict=yes", "strict must be true or false, not 'yes'."),
        ("depth=1.5", "depth must be a whole number"),
        ("depth=1_0", "depth must be a whole number"),
        ("ratio=much", "ratio"),
        ("ratio=NaN", "ratio"),
        ("ratio=true", "ratio must be a number"),
        ("labels=[", "labels"),
        ("nothing=1", "There is no argument nothing. Arguments: note, appendix,"),
        ("appendix.nothing=1", "There is no argument appendix.nothing. Arguments: type, sha256."),
        ("appendix=gone.pdf", "gone.pdf is not a file."),
        ("gone.pdf", "gone.pdf is not a file."),
        ("labels.a=x", "labels.a must be a whole number"),
    ],
)
def test_a_word_that_does_not_fit_is_refused_with_what_would(word: str, problem: str) -> None:
    with pytest.raises(UsageError) as refusal:
        read(word)
    assert problem in str(refusal.value)


def test_a_file_fills_the_required_document_first(pdf: Path, other_pdf: Path) -> None:
    read_files = read(str(pdf), str(other_pdf))
    assert read_files == {"contract": LocalFile(pdf), "appendix": LocalFile(other_pdf)}


def test_a_file_fills_the_document_that_is_still_free(pdf: Path) -> None:
    given = {"contract": {"type": "GITLAB"}}
    assert read(str(pdf), given=given) == {**given, "appendix": LocalFile(pdf)}


def test_more_files_go_to_the_argument_that_takes_many(pdf: Path, other_pdf: Path) -> None:
    args = read(str(pdf), str(pdf), str(pdf), str(other_pdf))
    assert args["others"] == [LocalFile(pdf), LocalFile(other_pdf)]


def test_the_first_file_of_a_comparison_is_the_left_one(pdf: Path, other_pdf: Path) -> None:
    args = read(str(pdf), str(other_pdf), "mode=text", schema=of("PDF_DIFF"))
    assert args == {"left": LocalFile(pdf), "right": LocalFile(other_pdf), "mode": "text"}


def test_one_file_too_many_is_refused(pdf: Path, other_pdf: Path) -> None:
    with pytest.raises(UsageError, match=r"report-2\.pdf is one file too many: it takes a file for doc_ref"):
        read(str(pdf), str(other_pdf), schema=of("PDF_TEXT"))


def test_a_file_for_an_action_without_documents_is_refused(pdf: Path) -> None:
    with pytest.raises(UsageError, match="it takes no file here"):
        read(str(pdf), schema=of("GITLAB_PROJECT_INFO"))


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        read(str(tmp_path))


def test_a_file_may_have_an_equals_sign_in_its_name(tmp_path: Path) -> None:
    file = tmp_path / "a=b.pdf"
    file.touch()
    assert read(str(file)) == {"contract": LocalFile(file)}


def test_references_take_the_place_of_files(pdf: Path, other_pdf: Path) -> None:
    args = read(str(pdf), str(pdf), str(other_pdf))
    assert arguments.files(args) == [pdf, other_pdf]
    replaced = arguments.with_references(args, {pdf: "one", other_pdf: "two"})
    assert replaced == {"contract": "one", "appendix": "one", "others": ["two"]}


@pytest.mark.parametrize("words", [["{}", "{}"], ['{"a": 1}', "--"], ["[1]", "{", "}"]])
def test_only_one_whole_json_object_is_taken(words: list[str]) -> None:
    with pytest.raises(UsageError):
        arguments.split(words, '{"a": 1}')


@pytest.mark.parametrize("text", ["[1]", "1", "{", '{"a": NaN}', "[" * 100_000])
def test_arguments_that_are_no_json_object_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        arguments.split([], text)


@pytest.mark.parametrize(
    "word",
    [
        "doc_ref.password=hunter2",
        '{"doc_ref": {"type": "UPLOAD", "password": "hunter2"}}',
        'doc_ref={"type": "UPLOAD", "password": "hunter2"}',
    ],
)
def test_a_password_on_the_command_line_is_refused_with_another_way(word: str) -> None:
    with pytest.raises(UsageError, match="--password-file") as refused:
        arguments.read(*reversed(arguments.split([word], None)), of("PDF_TEXT"))
    assert "hunter2" not in str(refused.value)


def test_a_password_goes_to_each_document_and_nowhere_else() -> None:
    gitlab = {"type": "GITLAB", "project_path": "corp/policies", "path": "a.pdf"}
    args = {"left": {"type": "UPLOAD", "sha256": DIGEST}, "list": [{"inner": gitlab}], "type": "text"}
    given = arguments.with_password(args, "열쇠")
    assert given == {
        "left": {"type": "UPLOAD", "sha256": DIGEST, "password": "열쇠"},
        "list": [{"inner": {**gitlab, "password": "열쇠"}}],
        "type": "text",
    }
    assert "password" not in gitlab, "what was given stays as it is"


def test_a_password_without_a_document_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="name none"):
        arguments.with_password({"texts": ["a"]}, "열쇠")


def test_digests_are_found_wherever_uploads_are_named() -> None:
    other = "0b" * 32
    args = {
        "left": {"type": "UPLOAD", "sha256": DIGEST},
        "list": [{"inner": {"type": "UPLOAD", "sha256": other}}, {"type": "UPLOAD", "sha256": DIGEST}],
        "gitlab": {"type": "GITLAB", "sha256": "0c" * 32},
        "broken": {"type": "UPLOAD", "sha256": "x"},
    }
    assert arguments.digests(args) == [DIGEST, other]
