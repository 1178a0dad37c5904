"""Who gets in: signature, nonce, limits, rights and arguments, in this order for every method.

Until the nonce is consumed and the buckets have room, a caller learns only that its call was refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1 import document_pb2
from services.base.actions import Action
from services.base.call import Call
from services.base.errors import Code, PapermeshError, bad_field
from services.dispatch.admission import arguments, documents
from services.dispatch.admission.limits import Limits
from services.dispatch.admission.secret_arguments import SecretArguments
from services.dispatch.admission.state import Bucket, State, owner
from services.dispatch.admission.verification import Caller, Verified, Verifier
from services.dispatch.answers import idempotency
from services.dispatch.audit.audit import Audit
from services.dispatch.router import Router

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call of an action that is let in."""

    caller: Caller
    action: Action
    request: Message
    """The typed request; every document in it is the caller's own."""

    args: bytes
    """The arguments as canonical JSON, as they were signed."""

    is_secret: bool = False
    """The arguments hold a secret. Nothing of the call is kept: no argument, no result, and no digest of either."""


class Admission:
    """Admits calls, and notes for each what the audit log will say."""

    def __init__(self, audit: Audit, verifier: Verifier, limits: Limits, state: State, router: Router) -> None:
        """Admits with these collaborators.

        Args:
            audit: Says whether a call can be recorded; if not, none is let in.
            verifier: Knows the clients.
            limits: Knows which buckets limit a call.
            state: Keeps nonces, buckets and rights.
            router: Knows the actions.
        """
        self._audit = audit
        self._verifier = verifier
        self._limits = limits
        self._state = state
        self._router = router
        self._secrets = SecretArguments(router.actions.values())

    async def action(self, call: Call, request: pb.InvokeRequest) -> Admitted:
        """Admits a call of an action.

        Raises:
            PapermeshError: UNAUTHENTICATED, RATE_LIMIT, FORBIDDEN, BAD_ARG, NOT_FOUND, or UNAVAILABLE.
        """
        verified = self._verify(call, request, request.actor, request.action)
        caller, args = verified.caller, verified.args
        call.notes["action"] = request.action
        hidden = self._secrets.hidden(args)
        is_secret = hidden != args
        call.notes["args"] = hidden
        action = None if verified.refusal else self._router.actions.get(request.action)
        buckets = self._limits.of_action(caller, action) if action else self._limits.of_client(caller)

        def check() -> tuple[Admitted, list[str]]:
            if verified.refusal:
                raise verified.refusal
            known = self._router.action(request.action)
            if not caller.rights.may_invoke(known.name):
                raise PapermeshError(Code.FORBIDDEN, "This client and actor may not call this action.")
            idempotency.check_key(request.idempotency_key)
            if is_secret and request.idempotency_key:
                raise bad_field("idempotency_key", "must be left out of a call with a password, which is kept nowhere")
            typed = arguments.recent(known, args, owner(caller), is_secret=is_secret)
            named = documents.named(typed)
            documents.check_projects(typed, named, caller.rights)
            return Admitted(caller, known, typed, args, is_secret), documents.uploads(named)

        return await self._admit(call, caller, buckets, check)

    async def method(
        self, call: Call, message: Message, actor: str, *references: document_pb2.DocumentRef, frees: bool = False
    ) -> tuple[Caller, list[str]]:
        """Admits a call of a method that is not an action.

        Args:
            call: The call.
            message: Its request, or the header message of an upload.
            actor: The actor that it names.
            references: Uploads to which the caller must have a right.
            frees: It frees memory in Redis, and is admitted however full that is.

        Returns:
            The caller, and the digests of those uploads.

        Raises:
            PapermeshError: as for an action.
        """
        verified = self._verify(call, message, actor)
        caller = verified.caller
        limits = self._limits
        buckets = limits.of_client(caller) if verified.refusal else limits.of_method(caller, call.method)

        def check() -> tuple[tuple[Caller, list[str]], list[str]]:
            if verified.refusal:
                raise verified.refusal
            if caller.rights.are_none:
                raise PapermeshError(Code.FORBIDDEN, "This client has no grant for this actor.")
            digests = documents.uploads(references)
            return (caller, digests), digests

        return await self._admit(call, caller, buckets, check, frees=frees)

    def _verify(self, call: Call, message: Message, actor: str, action: str | None = None) -> Verified:
        if not self._audit.healthy:
            text = "Calls cannot be recorded right now, so none are accepted. Try again."
            raise PapermeshError(Code.UNAVAILABLE, text, retry_after_ms=1000, details={"reason": "audit_failed"})
        verified = self._verifier.verify(call, message, actor, action)
        call.notes["client"] = verified.caller.client.id
        call.notes["actor"] = "" if verified.refusal else verified.caller.actor
        return verified

    async def _admit(
        self,
        call: Call,
        caller: Caller,
        buckets: list[Bucket],
        check: Callable[[], tuple[T, list[str]]],
        *,
        frees: bool = False,
    ) -> T:
        """What `check` returns, once the call is let in with the right to every document that it names."""
        try:
            found, digests = check()
        except PapermeshError:
            # Only a caller with a fresh nonce and a bucket that is not empty learns what is wrong with the call.
            await self._state.admit(caller, buckets)
            raise
        call.notes["documents"] = digests
        rights = await self._state.admit(caller, buckets, digests, frees=frees)
        await call.verified()
        documents.check_rights(rights)
        call.notes["admitted"] = True
        return found
