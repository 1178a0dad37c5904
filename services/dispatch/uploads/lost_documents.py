"""A document that was missing from the store when a call needed it: deleted during the call, or lost.

The reader of the bytes cannot tell the two apart. Dispatch asks who holds the document now. A deletion removes the
holders before it touches the bytes, and an upload stores the bytes before anybody holds them. So a document that is
held but not there was lost. Only that is reported to the operator.
"""

from collections.abc import Sequence

from google.protobuf.message import Message

from services.base.blobs import BlobStore, Namespace
from services.base.errors import Code, PapermeshError
from services.base.own_faults import own_fault
from services.base.redis.link import RedisAway, RedisLink, RedisRefused
from services.base.stored_blob import Key
from services.dispatch.admission import documents
from services.dispatch.admission.state import RedisNeeded, holders_key, owner
from services.dispatch.admission.verification import Caller
from services.dispatch.uploads.deletion import deletion_key

_MISSING = "stored_document_missing"
"""The reason that `services.base.stored_blob` gives."""

_AGAIN_MS = 1000


class LostDocuments:
    """Tells lost documents from deleted ones."""

    def __init__(self, link: RedisLink, blobs: BlobStore) -> None:
        """Asks Redis in its state role, behind `link`, who holds a document, and `blobs` whether it is there again."""
        self._link = link
        self._blobs = blobs

    async def explained(self, error: PapermeshError, caller: Caller, request: Message) -> PapermeshError:
        """What to tell instead of an error: for a document that was missing the reason, for anything else the error.

        Ask for each caller: equal calls share one computation and its error, but not their documents.

        Args:
            error: How the call failed.
            caller: Who had the right to every document that the request names.
            request: The request.

        Returns:
            NOT_FOUND when the caller no longer holds it; UNAVAILABLE when it was deleted and is there again;
            ENGINE_FAIL when it is lost, which is logged for the operator, or when Redis cannot say.
        """
        if error.details.get("reason") != _MISSING:
            return error
        digests = documents.uploads(documents.named(request))
        try:
            await self._refuse_deleted(caller, digests)
        except PapermeshError as deleted:
            return deleted
        keys = (str(Key(Namespace.UPLOADS, each)) for each in digests)
        return own_fault(_MISSING, error.message, code=error.code, blob=" ".join(keys))

    async def held(self, caller: Caller, sha256: str) -> bool:
        """Whether a document is the caller's.

        Raises:
            PapermeshError: UNAVAILABLE when Redis is away.
        """
        with RedisNeeded():
            return bool(await self._link.call("HEXISTS", holders_key(sha256), owner(caller)))

    async def _refuse_deleted(self, caller: Caller, digests: Sequence[str]) -> None:
        """Raises PapermeshError: NOT_FOUND or UNAVAILABLE, see `explained`, unless a document must have been lost."""
        try:
            held = [await self._link.call("HEXISTS", holders_key(each), owner(caller)) for each in digests]
            documents.check_rights(held)
            came_back = [await self._came_back(each) for each in digests]
        except (RedisAway, RedisRefused):  # a false alarm is better than none
            return
        if any(came_back):
            raise PapermeshError(
                Code.UNAVAILABLE,
                "This document was deleted and uploaded again during the call. Call again.",
                retry_after_ms=_AGAIN_MS,
            )

    async def _came_back(self, sha256: str) -> bool:
        """Whether a document was deleted recently and is there again.

        A document that is there and was never deleted is another matter: then the service does not see our store.

        Raises:
            RedisAway, RedisRefused: when Redis cannot say.
        """
        if not await self._link.call("EXISTS", deletion_key(sha256)):
            return False
        try:
            await self._blobs.size(Namespace.UPLOADS, sha256)
        except PapermeshError:
            return False
        return True
