"""The report of a comparison as one HTML file that needs nothing from anywhere.

What the documents say stands in it as data, which the report's own script puts in as text and never as markup. The
file's Content-Security-Policy knows that script and that style by their digests, so that nothing else can run or load.
"""

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any, NamedTuple

import orjson

SCRIPTS = ("words", "list", "pages", "summary", "exports", "main")
"""The parts of the script, in the order in which they need each other."""


class PagePicture(NamedTuple):
    """A page of one of the documents."""

    side: str
    """"left" or "right"."""

    page: int
    """Its number, from 1."""

    width: float
    """In points, as a reader sees the page."""

    height: float
    content: bytes
    """WebP; empty where the page is not pictured, and its place stays blank."""


class _Shell(NamedTuple):
    """The page without its data: what stands before, between and after."""

    opening: bytes
    middle: bytes
    ending: bytes
    policy: str


def html(response: Mapping[str, Any], pictures: Iterable[PagePicture]) -> bytes:
    """The report of a comparison, as UTF-8.

    Args:
        response: DiffResponse as JSON has it, with all of its fields.
        pictures: The pages that were compared, of each side in order.
    """
    shell, drawn = _shell(), list(pictures)
    pages: dict[str, list[dict[str, Any]]] = {"left": [], "right": []}
    for each in drawn:
        sheet = {"page": each.page, "width": each.width, "height": each.height, "pictured": bool(each.content)}
        pages[each.side].append(sheet)
    data = orjson.dumps({"response": {**response, "json": ""}, "pages": pages})
    # No element ends inside of JSON that has no "<" (HTML, "Restrictions for contents of script elements").
    parts = [shell.opening, data.replace(b"<", b"\\u003c"), shell.middle]
    # Both sides by turns: whoever reads the beginning need not wait for the end of the file.
    for each in sorted(drawn, key=lambda each: each.page):
        if each.content:
            # A block of data, which is neither run nor parsed: the script makes a picture of it once it is looked at.
            parts.append(b'<script type="text/plain" id="picture-%b-%d">' % (each.side.encode(), each.page))
            parts += (base64.b64encode(each.content), b"</script>\n")
    return b"".join([*parts, shell.ending])


def policy() -> str:
    """The Content-Security-Policy that the file carries."""
    return _shell().policy


@functools.cache
def _shell() -> _Shell:
    folder = files(__package__)
    style = folder.joinpath("report.css").read_text("utf-8")
    script = "\n".join(folder.joinpath("script", f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    allowed = (
        "default-src 'none'",
        f"script-src '{_digest(script)}'",
        f"style-src '{_digest(style)}'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    said = "; ".join(allowed)
    opening, rest = folder.joinpath("report.html").read_text("utf-8").split("{{data}}")
    middle, ending = rest.split("{{pictures}}\n")
    opening = opening.replace("{{policy}}", said).replace("{{style}}", style)
    return _Shell(opening.encode(), middle.replace("{{script}}", script).encode(), ending.encode(), said)


def _digest(text: str) -> str:
    """As CSP names a script or a style (CSP 3, "hash-source")."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
