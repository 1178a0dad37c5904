"""An action's response as its caller asked for it: dispatch passes a result's JSON through, others read the fields.

    async def CountWords(self, request: pb.CountWordsRequest, call: Call) -> pb.CountWordsResponse:
        return answer(pb.CountWordsResponse(total=len(request.text.split())), call)

For a servicer that fills its response's fields; one whose engine makes the JSON itself, as pdf's does, can do without.
"""

import base64
import json
from typing import Any, TypeVar, cast

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.base.call import Call
from services.base.canonical import field_json
from services.base.channel import MAX_RESULT_BYTES
from services.base.errors import too_large
from services.base.schema import WELL_KNOWN

__all__ = ["answer", "partial"]

AS_JSON = ("x-result", "json")
"""The metadata of a caller who takes the result as JSON text and nothing else."""

PARTIAL = ("x-result-partial", "true")
"""The trailing metadata of a result that the same call later gives more of. Nobody keeps it."""

_Response = TypeVar("_Response", bound=Message)


def answer(response: _Response, call: Call) -> _Response:
    """A response, filled but for `json`, as its call asked for it: with its fields as they are, or with `json` alone.

    Raises:
        PapermeshError: TOO_LARGE for a result of more than `MAX_RESULT_BYTES`.
    """
    if AS_JSON not in call.metadata:
        return response
    text = result_json(response)
    if len(text.encode()) > MAX_RESULT_BYTES:
        message = f"The result has more than {MAX_RESULT_BYTES} bytes. Ask for less at a time."
        raise too_large(message, limit_bytes=MAX_RESULT_BYTES)
    slim = type(response)()
    slim.json = text  # type: ignore[attr-defined]  # the contract test sees to it that every action's response has it
    return slim


def partial(call: Call) -> None:
    """Says that the same call later gives more than this answer does, so that it is not kept for anybody."""
    call.notes["partial"] = True


def result_json(response: Message) -> str:
    """A response as its action's schema describes it: every field but `json`, also those at their default.

    64-bit integers are numbers here, as people send them; proto3 JSON would write them as text. A field that knows
    whether it is set (a message, `optional`) is left out when it is not.

    Raises:
        ValueError: for a number that is not finite, which JSON cannot write.
    """
    fields = _object(response)
    fields.pop("json", None)
    return json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _object(message: Message) -> dict[str, Any]:
    return {
        # The C descriptor, says the stub.
        field.name: field_json(cast("FieldDescriptor", field), getattr(message, field.name), _single)
        for field in message.DESCRIPTOR.fields
        if not field.has_presence or message.HasField(field.name)
    }


def _single(field: FieldDescriptor, value: Any) -> Any:
    if field.message_type is not None:
        known = field.message_type.full_name in WELL_KNOWN
        return json_format.MessageToDict(value) if known else _object(value)
    if field.enum_type is not None:
        known_value = field.enum_type.values_by_number.get(value)
        return value if known_value is None else known_value.name
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    return value
