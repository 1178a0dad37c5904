"""The report in Chromium, as somebody reads it."""

import io
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from services.pdf.report import page as report
from services.pdf.report.page import PagePicture
from tests.services.pdf.report.comparisons import change, comparison, gap, side

pytestmark = pytest.mark.long

PAGES = 150
"""The most that are compared in one call."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        missing = "Chromium is missing. On Debian and Ubuntu: sudo apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        # A container has no user namespaces for its sandbox; it opens nothing but our own file.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


def compared(pages: int) -> dict[str, Any]:
    """A change a page, of every kind of op, and at the end what a filter hides."""
    made = []
    for number in range(1, pages + 1):
        y = 100.0 + 3 * (number % 150)
        sides = {
            0: ("modify", side("15일", number, y), side("20일", number, y)),
            1: ("insert", gap(number, y), side("새 문장", number, y)),
            2: ("delete", side("옛 문장", number, y), gap(number, y)),
        }
        made.append(change(number, *sides[number % 3]))
    derived = change(pages + 1, "modify", side("제7조", 1), side("제8조", 1), derived=True, cause=made[0]["id"])
    hostile = change(pages + 2, "insert", gap(1), side("<script>document.title = 'hit'</script>\u202e=1+1", 1, 300))
    return comparison(*made, derived, hostile, pages=pages, report_id="rep_test")


def pictures(pages: int) -> Iterator[PagePicture]:
    """Pages of noise: as many bytes as dense text has."""
    noise = Image.frombytes("L", (827, 1169), os.urandom(827 * 1169)).resize((160, 226)).resize((827, 1169))
    content = io.BytesIO()
    noise.save(content, "WEBP", quality=40, method=0)
    for name in ("left", "right"):
        for number in range(1, pages + 1):
            yield PagePicture(name, number, 595, 842, content.getvalue())


class Opened:
    """A report in a tab, and what went wrong there."""

    def __init__(
        self, browser: Browser, path: Path, *, language: str = "en", fragment: str = "", **options: Any
    ) -> None:
        self.context = browser.new_context(locale=language, **options)
        self.context.add_init_script(
            "window.refused = []; document.addEventListener('securitypolicyviolation', e => refused.push(e.blockedURI))"
        )
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.requests: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self.faults.append(message.text))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() + fragment)

    @property
    def here(self) -> str:
        """The text of the change that is chosen."""
        return self.page.locator(".change.here .go").inner_text()

    def wait_until(self, condition: str) -> None:
        """Waits for a JavaScript expression; Playwright's own way evaluates a string, which the page refuses."""
        look = f"() => ({condition}) ? done() : requestAnimationFrame(look)"
        self.page.evaluate(f"new Promise(done => {{ const look = {look}; look(); }})")

    def close(self) -> None:
        """Closes it, after nothing went wrong."""
        assert self.page.evaluate("refused") == []
        assert self.faults == []
        assert [each for each in self.requests if not each.startswith(("file:", "data:", "blob:"))] == []
        self.context.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "small.html"
    path.write_bytes(report.html(compared(12), pictures(12)))
    return path


def test_keys_lead_from_change_to_change_and_both_panes_follow(chromium: Browser, small: Path) -> None:
    opened = Opened(chromium, small)
    assert "제1조" in opened.here
    for _ in range(6):
        opened.page.keyboard.press("n")
    opened.page.keyboard.press("p")
    assert "제6조" in opened.here
    for name in ("left", "right"):
        mark = opened.page.locator(f"#{name} .mark.here").first.bounding_box()
        pane = opened.page.locator(f"#{name}").bounding_box()
        assert mark is not None
        assert pane is not None
        assert pane["y"] < mark["y"] < pane["y"] + pane["height"]
    opened.close()


@pytest.mark.parametrize("width", [1440, 420])
def test_what_should_have_changed_is_seen_first(chromium: Browser, tmp_path: Path, width: int) -> None:
    warning = {
        "code": "stale_reference",
        "address": "제20조",
        "text": "제7조",
        "message": "It is 제8조.",
        "regions": [],
    }
    path = tmp_path / "warned.html"
    path.write_bytes(report.html({**compared(12), "warnings": [warning]}, pictures(12)))
    opened = Opened(chromium, path, viewport={"width": width, "height": 900})
    opened.page.wait_for_load_state("load")
    assert opened.page.evaluate("[document.getElementById('list').scrollTop, window.scrollY]") == [0, 0]
    assert "It is 제8조." in opened.page.locator(".warning").inner_text()
    opened.close()


def test_a_korean_keyboard_has_the_same_keys(chromium: Browser, small: Path) -> None:
    opened = Opened(chromium, small, language="ko-KR")
    opened.page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅜ', code: 'KeyN'}))")
    assert "제2조" in opened.here
    assert opened.page.locator("html").get_attribute("lang") == "ko"
    assert "바뀌었습니다" in opened.page.locator("#verdict").inner_text()
    opened.page.click("#language")
    assert "changes" in opened.page.locator("#verdict").inner_text()
    opened.close()


def test_a_pane_that_scrolls_takes_the_other_along_until_that_is_switched_off(chromium: Browser, small: Path) -> None:
    opened = Opened(chromium, small)
    top = "document.getElementById('right').scrollTop"
    opened.page.evaluate("document.getElementById('left').scrollTop = 3000")
    opened.wait_until(f"Math.abs({top} - 3000) < 40")
    opened.page.keyboard.press("s")
    opened.page.evaluate("document.getElementById('left').scrollTop = 4000")
    opened.wait_until("document.getElementById('left').scrollTop === 4000")
    stood = opened.page.evaluate(top)
    opened.page.keyboard.press("s")  # from where each of them stands
    opened.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert opened.page.evaluate(top) == stood
    opened.page.evaluate("document.getElementById('left').scrollTop = 4500")
    opened.wait_until(f"Math.abs({top} - {stood} - 500) < 40")
    opened.close()


def test_a_link_opens_its_change_although_the_filter_hides_it(chromium: Browser, small: Path) -> None:
    opened = Opened(chromium, small, fragment="#c-000d")
    assert "제13조" in opened.here
    assert opened.page.locator("#filter-also input").first.is_checked()
    opened.close()


def test_files_hold_what_the_filter_shows(chromium: Browser, small: Path) -> None:
    opened = Opened(chromium, small)
    opened.page.keyboard.press("f")
    opened.page.locator("#filter-op label", has_text="Changed").locator("input").uncheck()
    opened.page.locator("#filter-op label", has_text="Deleted").locator("input").uncheck()
    with opened.page.expect_download() as saving:
        opened.page.click("#save-json")
    saved = json.loads(saving.value.path().read_text("utf-8"))
    assert saving.value.suggested_filename == "rep_test.json"
    assert [each["n"] for each in saved["changes"]] == [1, 4, 7, 10, 14]
    with opened.page.expect_download() as saving:
        opened.page.click("#save-csv")
    rows = saving.value.path().read_text("utf-8-sig").splitlines()
    assert len(rows) == 6
    opened.close()


def test_what_a_document_says_is_shown_and_not_run(chromium: Browser, small: Path) -> None:
    opened = Opened(chromium, small, fragment="#c-000e")
    assert "<script>" in opened.page.locator(".change.here .said").inner_text()
    assert "U+202E" in opened.page.locator(".change.here .said").inner_text()
    assert opened.page.title() != "hit"
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 420])
def test_everybody_can_use_it(chromium: Browser, small: Path, scheme: str, width: int) -> None:
    size = {"width": width, "height": 900}
    opened = Opened(chromium, small, color_scheme=scheme, viewport=size)
    found = Axe().run(opened.page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in {"serious", "critical"}] == []
    opened.close()


def test_print_has_every_change_that_is_listed(chromium: Browser, small: Path) -> None:
    opened = Opened(chromium, small)
    opened.page.emulate_media(media="print")
    assert opened.page.locator(".change:visible").count() == 13
    assert not opened.page.locator(".pages").is_visible()
    opened.close()


@pytest.mark.measures_time
def test_the_largest_comparison_opens_and_answers_at_once(chromium: Browser, tmp_path: Path) -> None:
    path = tmp_path / "large.html"
    path.write_bytes(report.html(compared(PAGES), pictures(PAGES)))
    started = time.monotonic()
    opened = Opened(chromium, path)
    opened.page.locator("#right img").first.wait_for()
    assert time.monotonic() - started < 10  # 2 s on a machine that does nothing else
    took = opened.page.evaluate(
        """() => { const started = performance.now();
        document.dispatchEvent(new KeyboardEvent('keydown', {key: 'n', code: 'KeyN'}));
        document.getElementById('left').offsetTop; return performance.now() - started; }"""
    )
    assert took < 1000  # milliseconds; 100 on such a machine
    assert opened.page.locator("img").count() < PAGES / 4
    opened.close()
