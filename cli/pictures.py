"""The command `image`: a page as a picture in a file."""

import base64
import io
from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.calls import call, filled_in, open_adapter
from cli.failures import reported
from cli.terminal import note, waiting, write_json

ACTION = "PDF_PAGE_IMAGE"


def image(
    words: options.Words = None,
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it. Default: page-N.png or page-N.webp."),
    ] = None,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
    url: options.Url = None,
) -> None:
    """Draw a page, and write the picture to a file.

    papermesh image report.pdf page=3 dpi=150 -o page.png
    """
    with reported(as_json=as_json), open_adapter(url) as adapter:
        args = filled_in(adapter, ACTION, words, None, password_file)
        with waiting("drawing …"):
            # A small one comes with the answer, which saves a call.
            answer = call(adapter, ACTION, {"inline": True, **args})
        made = answer.data
        path = output or Path(f"page-{args.get('page', 1)}.{args.get('format') or 'png'}")
        picture = io.BytesIO(base64.b64decode(made["base64"]))
        if not made["base64"]:
            adapter.fetch(f"/images/{made['image_id']}", picture)
        path.write_bytes(picture.getvalue())
        if as_json:
            write_json(answer.text)
        note(f"{path}: page {made['page']}, {made['width']} x {made['height']} pixels, {made['size']:,} bytes")
