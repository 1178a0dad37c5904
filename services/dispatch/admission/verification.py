"""Who calls: a call's signature, checked against the client's keys and the certificate that Envoy saw.

The nonce is not consumed here. Dispatch does that next, in one round trip with the limits (`state.py`), so that only a
call with a matching signature can use one up.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.message import Message

from services.base import canonical, identity, signature
from services.base.call import Call
from services.base.errors import Code, PapermeshError
from services.base.names import MAX_ACTOR, is_actor
from services.base.signature import unauthenticated
from services.base.watched_file import WatchedFile
from services.dispatch.admission.clients import Client
from services.dispatch.admission.rights import Rights


@dataclass(frozen=True, slots=True)
class Caller:
    """A client whose signature matches, and on whose behalf it calls."""

    client: Client
    actor: str
    nonce: str
    signed_at: int
    """When it signed, in seconds since 1970 by its own clock."""

    @property
    def rights(self) -> Rights:
        """What the actor may do through the client."""
        return self.client.rights(self.actor)


@dataclass(frozen=True, slots=True)
class Verified:
    """A call whose signature matches."""

    caller: Caller
    args: bytes
    """The arguments that were signed, as canonical JSON."""

    refusal: PapermeshError | None = None
    """Why the client may not call for the actor that it names; if set, the caller is the client itself."""


class Verifier:
    """Checks signatures for one deployment."""

    def __init__(self, audience: str, clients: WatchedFile[dict[str, Client]]) -> None:
        """Checks calls to `audience` by the clients in the file at the time of the call."""
        self._audience = audience
        self._clients = clients

    def verify(self, call: Call, message: Message, actor: str, action: str | None = None) -> Verified:
        """Checks one call, in the order that docs/signing.md gives.

        Args:
            call: The call.
            message: Its request, or the header message of an upload.
            actor: The actor that the request names; empty for the client itself.
            action: The action that the request names; None for a method without one.

        Raises:
            PapermeshError: UNAUTHENTICATED; BAD_ARG when the request cannot be canonical.
        """
        signed = signature.read(call.metadata)
        signed_at = signature.check_clock(signed, datetime.now(UTC))
        client = self._clients.value.get(signed.client)
        # One answer for both, so that nobody can list the clients by trying.
        if client is None or identity.caller(call.metadata) != client.certificate:
            raise unauthenticated("x-client is not a client of this deployment, or this is not its certificate.")
        request = canonical.request_json(message)
        text = canonical.dumps(request)
        signature.check_mac(signed, client.secrets, audience=self._audience, method=call.method, request=text)
        if signed.action != action:
            raise unauthenticated("x-action must equal the request's action, and be absent if the request has none.")
        refusal = _refusal(client, actor)
        caller = Caller(client, client.id if refusal or not actor else actor, signed.nonce, signed_at)
        return Verified(caller, canonical.dumps(request.get("args", {})), refusal)


def _refusal(client: Client, actor: str) -> PapermeshError | None:
    """Why the client may not call for the actor; None if it may."""
    if not client.acts_for:
        if actor in ("", client.id):
            return None
        return PapermeshError(Code.FORBIDDEN, "This client may not call for another actor. Leave actor empty.")
    if actor == client.id:
        # The adapter takes actors from tokens: a person with its name there must not get its rights and documents.
        return PapermeshError(
            Code.FORBIDDEN, "No actor may have the client's own id. For the client itself, leave actor empty."
        )
    if actor and not is_actor(actor):
        return PapermeshError(Code.BAD_ARG, f"actor must be at most {MAX_ACTOR} printable characters.")
    return None
