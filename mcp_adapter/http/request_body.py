"""What holds for every body that the adapter reads."""

from starlette.requests import Request

from services.base.errors import bad_field


def refuse_encoded(request: Request) -> None:
    """Refuses a compressed body: nothing here would unpack it.

    Raises:
        PapermeshError: BAD_ARG for a Content-Encoding.
    """
    for name, value in request.scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise bad_field("Content-Encoding", "send the body uncompressed")
