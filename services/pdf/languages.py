"""The languages that a caller may name: those that this machine's Tesseract has trained data for."""

from collections.abc import Collection

from google.protobuf.message import Message

from services.base.errors import bad_field

_FIELD = "languages"


def check_languages(request: Message, installed: Collection[str]) -> None:
    """Raises BAD_ARG on the field `languages` of a request that has one and names others than the `installed` ones.

    Where none are installed nothing is recognised, and the answer says so; then any do.
    """
    if not installed or _FIELD not in request.DESCRIPTOR.fields_by_name:
        return
    if missing := [name for name in getattr(request, _FIELD) if name not in installed]:
        here = ", ".join(sorted(installed))
        raise bad_field(_FIELD, f"no trained data is installed for {', '.join(missing)}; there is some for {here}")
