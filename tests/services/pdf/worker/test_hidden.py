"""Text that nobody sees, and text that only looks like it (`hiding.py` draws both)."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from services.pdf.worker import hidden_lines, recorder, visibility
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import TEXT, Questions, open_path
from tests.services.pdf.viewing import count, metadata_of, outline_of, read_text, text_of
from tests.services.pdf.worker.hiding import HIDDEN, HIDING, PLAIN, SHOWING, WHITE, box, make, raw, show, write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "page.pdf"


def ask(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """What PDF_TEXT says of a page, and what it says is hidden."""
    found = text_of(open_path(path), include_hidden=True)
    return found["items"][0]["text"], found["hidden"]


@pytest.mark.parametrize("way", HIDING)
def test_text_that_nobody_sees_is_left_out_and_told_with_its_reason(path: Path, way: str) -> None:
    draw, reason = HIDING[way]
    make(path, draw)
    found, hidden = ask(path)
    assert HIDDEN not in found
    assert PLAIN in found
    assert [(each["text"], each["reason"]) for each in hidden] == [(HIDDEN, reason)]


@pytest.mark.parametrize("way", SHOWING)
def test_text_that_only_looks_hidden_is_read(path: Path, way: str) -> None:
    make(path, SHOWING[way])
    found, hidden = ask(path)
    assert HIDDEN in found
    assert PLAIN in found
    assert hidden == []


def test_without_being_asked_nothing_hidden_is_told(path: Path) -> None:
    make(path, HIDING["white on white"][0])
    found = text_of(open_path(path))
    assert found["hidden"] == []
    assert [item["text"] for item in found["items"]] == [f"{PLAIN}\n"]


def test_hidden_text_has_the_box_around_it(path: Path) -> None:
    make(path, HIDING["in mode 3"][0])
    _, (hidden,) = ask(path)
    assert hidden["page"] == 1
    assert [hidden["bbox"][edge] for edge in ("x0", "y0", "x1", "y1")] == pytest.approx([72, 190.5, 219, 202.5], abs=1)


def test_a_page_says_when_it_hides_more_than_is_shown(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_lines, "MAX_HIDDEN", 2)

    def draw(page: Any, said: str) -> None:
        for row in range(4):
            page.insert_text((72, 200 + 20 * row), f"{said} {row}", fontname="helv", color=WHITE)

    make(path, draw)
    found, hidden = ask(path)
    assert found == f"{PLAIN}\n"
    assert [(each["text"], each["reason"]) for each in hidden] == [
        (f"{HIDDEN} 0", "same_color"),
        (f"{HIDDEN} 1", "same_color"),
        ("", "more"),
    ]


def test_hidden_letters_leave_the_words_of_hangul_beside_them_alone(path: Path) -> None:
    def draw(page: Any, said: str) -> None:
        page.insert_text((72, 200), "연차휴가는 20일로 한다", fontname="korea")
        page.insert_text((72, 230), said, fontname="korea", render_mode=3)

    make(path, draw, "숨은 글")
    found, hidden = ask(path)
    assert found == f"{PLAIN}\n연차휴가는 20일로 한다\n"
    assert [each["text"] for each in hidden] == ["숨은 글"]


def test_what_a_file_says_instead_of_hidden_glyphs_is_hidden_too(path: Path) -> None:
    make(path, lambda page, said: raw(page, f"/Span<</ActualText({said})>> BDC {show('glyphs', '3 Tr')} EMC"))
    found, _ = ask(path)
    assert found == f"{PLAIN}\n"


def test_only_letters_that_can_be_seen_are_counted(path: Path) -> None:
    make(path, HIDING["white on white"][0])
    described = metadata_of(open_path(path))
    assert b'"text_density":20.0,"has_text_layer":true' in described
    assert b'"hidden_characters":24' in described


@pytest.mark.parametrize("way", HIDING)
def test_all_that_is_hidden_is_counted(path: Path, way: str) -> None:
    make(path, HIDING[way][0])
    seen = 41 if way == "under what is written over it" else 20
    assert count(open_path(path)) == (seen, 24)


def test_a_page_with_hidden_text_alone_has_no_text_layer_and_a_recognised_one_has(path: Path) -> None:
    layers = []
    for draw in (HIDING["in mode 3"][0], SHOWING["invisible over a scan"]):
        with pymupdf.open() as document:
            draw(document.new_page(width=595, height=842), HIDDEN)
            document.save(path)
        layers.append(b'"has_text_layer":true' in metadata_of(open_path(path)))
    assert layers == [False, True]


def test_a_hidden_heading_is_in_no_outline(path: Path) -> None:
    def draw(page: Any, said: str) -> None:
        page.insert_text((72, 300), "A heading", fontname="helv", fontsize=24)
        page.insert_text((72, 400), said, fontname="helv", fontsize=24, color=WHITE)
        page.insert_text((72, 500), "Words of the body, more than of the heading. " * 2, fontname="helv", fontsize=10)

    make(path, draw)
    titles = [entry["title"] for entry in outline_of(open_path(path))["entries"]]
    assert "A heading" in titles
    assert HIDDEN not in titles


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ground=st.tuples(*3 * [st.floats(0, 1)]),
    ink=st.tuples(*3 * [st.floats(0, 1)]),
    size=st.floats(4, 40),
    turn=st.sampled_from([0, 90, 180, 270]),
)
def test_text_that_stands_out_from_its_ground_is_read(
    path: Path, ground: tuple[float, ...], ink: tuple[float, ...], size: float, turn: int
) -> None:
    assume(max(abs(one - other) for one, other in zip(ground, ink, strict=True)) > 0.3)

    def draw(page: Any, said: str) -> None:
        box(page, ground, (0, 100, 595, 400))
        write(page, said, color=ink, fontsize=size)
        page.set_rotation(turn)

    make(path, draw, "Anybody")
    assert "Anybody" in ask(path)[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ground=st.tuples(*3 * [st.floats(0, 1)]), size=st.floats(4, 30), turn=st.sampled_from([0, 90, 180, 270]))
def test_text_in_the_color_of_its_ground_is_not(path: Path, ground: tuple[float, ...], size: float, turn: int) -> None:
    def draw(page: Any, said: str) -> None:
        box(page, ground, (0, 100, 595, 400))
        write(page, said, color=ground, fontsize=size)
        page.set_rotation(turn)

    make(path, draw, "Nobody")
    assert "Nobody" not in ask(path)[0]


def test_a_page_too_crowded_to_be_checked_is_read_whole_and_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "MOST_LETTERS", 20)
    make(path, HIDING["white on white"][0])
    found, hidden = ask(path)
    assert HIDDEN in found
    assert [(each["text"], each["reason"]) for each in hidden] == [("", "unchecked")]


def test_a_page_that_takes_long_to_draw_is_not_checked_for_cover(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visibility, "_SECONDS", 0.0)

    def draw(page: Any, said: str) -> None:
        page.insert_text((72, 100), "in mode 3", fontname="helv", render_mode=3)
        HIDING["under a box"][0](page, said)

    make(path, draw)
    found, hidden = ask(path)
    assert found == f"{PLAIN}\n{HIDDEN}\n"
    assert [each["reason"] for each in hidden] == ["invisible", "unchecked"]


@pytest.mark.parametrize(
    "content",
    [
        "".join(f"BT /helv 1 Tf {72 + number % 400} {100 + number // 400} Td (x) Tj ET " for number in range(12_000)),
        "1 1 1 rg " + "".join(f"{number % 600} {number // 600} 2 2 re f " for number in range(12_000)),
        "1 1 1 rg " + "0 0 600 900 re f " * 9_000 + show("more") * 900,
        "q 0 0 600 900 re W n " * 200 + show("deep"),
        "/None gs q /Nothing Do Q Q Q Q",
        f"1 1 1 rg q 1e38 0 0 1e38 1e38 1e38 cm {show('far')} 0 0 1 1 re f Q {show('white')}",
    ],
    ids=[
        "tiny letters",
        "rectangles",
        "one rectangle over another",
        "clips in clips",
        "nothing that is there",
        "numbers without measure",
    ],
)
def test_a_page_made_to_take_long_is_answered(path: Path, content: str) -> None:
    make(path, lambda page, said: raw(page, f"{show(said)} {content}"))
    assert PLAIN in read_text(open_path(path), 1)
    assert isinstance(ask(path)[1], list)


async def test_a_confined_worker_finds_what_an_open_one_does(
    path: Path,
    make_pool: Callable[..., AbstractAsyncContextManager[WorkerPool]],
    subject: Callable[[Path], Subject],
) -> None:
    """It can load nothing when a page asks for it: no module, no font, no file."""
    drawn = [(draw, reason) for draw, reason in HIDING.values()] + [(draw, "") for draw in SHOWING.values()]
    async with make_pool(1) as pool:
        for draw, reason in drawn:
            make(path, draw)
            request = pb.ExtractTextRequest(include_hidden=True)
            answer = json.loads((await Questions(pool).answer(TEXT, request, subject(path), 30)).json)
            assert [each["reason"] for each in answer["hidden"]] == ([reason] if reason else [])
            assert (HIDDEN in answer["items"][0]["text"]) == (not reason)
        assert pool.restarts == {}
