"""The text of a picture: what the service has a page recognised by, on its way to the views of documents."""

import os
from collections.abc import Mapping
from typing import Any

import orjson

from services.pdf.processes.wire import CONTENT
from services.pdf.worker.ocr.recognise import recognise


def read_picture(arguments: Mapping[str, Any]) -> bytes:
    """The words of a picture and their boxes, as JSON text; `services.pdf.worker.ocr` says how.

    The content is a binary PGM, `dpi` its resolution, and `languages` the names of Tesseract's models. The kind of
    worker has in its environment where these are, and a PATH on which Tesseract is.
    """
    recognised = recognise(
        picture=arguments[CONTENT],
        dpi=arguments["dpi"],
        languages=arguments["languages"],
        data=os.environ.get("TESSDATA_PREFIX", ""),
    )
    return orjson.dumps(recognised)
