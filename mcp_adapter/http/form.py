"""The one file of a multipart form (RFC 7578), passed on as it streams in."""

import logging
from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.base.errors import PapermeshError, bad_arg

OVERHEAD_BYTES = 64 * 1024
"""Bytes that boundaries, part headers and fields may add to a document's own."""

_MAX_FIELDS = 8

# Its warnings, one for every form that it cannot read, quote what was sent. Only the sender should be told.
logging.getLogger("python_multipart").setLevel(logging.ERROR)


class Form:
    """Finds the file among the parts, and skips fields."""

    def __init__(self, content_type: str, write: Callable[[bytes], None]) -> None:
        """Passes the file's bytes to `write`; the request's `content_type` gives the boundary.

        Raises:
            PapermeshError: BAD_ARG when there is no usable boundary.
        """
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise bad_arg("The form's Content-Type has no boundary.")
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_to_name,
                    "on_header_value": self._add_to_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_content,
                    "on_part_data": self._add_content,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _unreadable() from error
        self._write = write
        self._files = self._fields = 0
        self._beside_bytes = 0
        self._in_file = self._ended = False
        self._name = self._value = self._disposition = b""

    def feed(self, piece: bytes) -> None:
        """Reads a piece of the body.

        Raises:
            PapermeshError: BAD_ARG when this is not a form, or holds too much; what `write` raises.
        """
        self._beside_bytes += len(piece)
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _unreadable() from error
        if self._beside_bytes > OVERHEAD_BYTES:
            raise bad_arg(f"A form may have at most {OVERHEAD_BYTES} bytes besides its file.")

    def finish(self) -> None:
        """Ends the body.

        Raises:
            PapermeshError: BAD_ARG when the form is incomplete, or has no file.
        """
        if not self._ended:
            raise bad_arg("The form ends before its closing boundary.")
        if self._files == 0:
            raise _not_one_file()

    def _begin_part(self) -> None:
        self._name = self._value = self._disposition = b""

    def _add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _begin_content(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise bad_arg("Each part of a form needs a Content-Disposition: form-data with a name.")
        self._in_file = b"filename" in options
        self._files += self._in_file
        self._fields += not self._in_file
        if self._files > 1:
            raise _not_one_file()
        if self._fields > _MAX_FIELDS:
            raise bad_arg(f"A form may have at most {_MAX_FIELDS} fields besides its file.")

    def _add_content(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._beside_bytes -= end - start
            self._write(data[start:end])

    def _end(self) -> None:
        self._ended = True


def _unreadable() -> PapermeshError:
    return bad_arg("The form cannot be read. Send multipart/form-data with one file, or the document as the body.")


def _not_one_file() -> PapermeshError:
    return bad_arg("The form must hold exactly one file.")
