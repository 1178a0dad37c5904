import asyncio
import json
import random
import string
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.call import Call, Metadata
from services.base.errors import Code, PapermeshError
from services.base.signature import Key
from services.base.watched_file import WatchedFile
from services.dispatch.admission.clients import Client
from services.dispatch.admission.rights import Rights
from services.dispatch.admission.verification import Verified, Verifier
from tests.support.clients import (
    ADAPTER_ID,
    ADAPTER_KEY,
    AUDIENCE,
    ENTRIES,
    REPORTS_ID,
    REPORTS_KEY,
    REPORTS_NEW_KEY,
    SERVICE,
    entry,
    signed,
)

XFCC = "x-forwarded-client-cert"

Listing = WatchedFile[dict[str, Client]]


@pytest.fixture
def verifier(listing: Listing) -> Verifier:
    return Verifier(AUDIENCE, listing)


def request(actor: str = "") -> pb.InvokeRequest:
    message = pb.InvokeRequest(action="PDF_TEXT", actor=actor)
    message.args.update({"doc_ref": {"type": "UPLOAD", "sha256": "ab" * 32}, "pages": "1-3"})
    return message


def call(metadata: Metadata, method: str = "Invoke") -> Call:
    return Call(f"{SERVICE}/{method}", metadata, "r-1", 10, "")


def verify(verifier: Verifier, message: pb.InvokeRequest, metadata: Metadata, method: str = "Invoke") -> Verified:
    return verifier.verify(call(metadata, method), message, message.actor, message.action)


def metadata(message: pb.InvokeRequest, key: Key = ADAPTER_KEY, uri: str = ADAPTER_ID, **changed: str) -> Metadata:
    """A signed call's metadata with some fields changed afterwards, named as in Python."""
    changes = {name.replace("_", "-"): value for name, value in changed.items()}
    fields = signed("Invoke", message, key, uri=uri, action=message.action)
    return tuple((name, changes.get(name, value)) for name, value in fields)


def refusal(attempt: Callable[[], Any]) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        attempt()
    return caught.value


class TestAccepted:
    def test_is_a_signed_call_for_oneself(self, verifier: Verifier) -> None:
        message = request()
        verified = verify(verifier, message, metadata(message))
        assert (verified.caller.client.id, verified.caller.actor) == ("adapter", "adapter")
        assert json.loads(verified.args)["pages"] == "1-3"

    def test_is_a_call_for_a_person_by_a_client_that_acts_for_others(self, verifier: Verifier) -> None:
        message = request("김철수@corp")
        assert verify(verifier, message, metadata(message)).caller.actor == "김철수@corp"

    @pytest.mark.parametrize("key", [REPORTS_KEY, REPORTS_NEW_KEY])
    def test_is_either_key_during_a_rotation(self, verifier: Verifier, key: Key) -> None:
        message = request("reports")
        assert verify(verifier, message, metadata(message, key, REPORTS_ID)).caller.actor == "reports"

    def test_is_a_method_without_an_action(self, verifier: Verifier) -> None:
        message = pb.PutDocumentHeader(sha256="ab" * 32, size=5)
        fields = signed("PutDocument", message)
        assert verifier.verify(call(fields, "PutDocument"), message, "").caller.client.id == "adapter"

    def test_opens_no_door_for_an_equal_call_that_is_forged(self, verifier: Verifier) -> None:
        message = request()
        verify(verifier, message, metadata(message))
        forged = metadata(message, Key("adapter", "k1", REPORTS_KEY.secret))
        assert refusal(lambda: verify(verifier, message, forged)).code is Code.UNAUTHENTICATED


class TestRefused:
    @pytest.mark.parametrize("name", ["x-client", "x-timestamp", "x-nonce", "x-signature", XFCC])
    def test_is_a_call_with_a_field_missing_or_doubled(self, verifier: Verifier, name: str) -> None:
        message = request()
        fields = metadata(message)
        without = tuple(each for each in fields if each[0] != name)
        twice = (*fields, next(each for each in fields if each[0] == name))
        for wrong in (without, twice):
            assert refusal(lambda wrong=wrong: verify(verifier, message, wrong)).code is Code.UNAUTHENTICATED

    @pytest.mark.parametrize("seconds", [-310, 310])
    def test_is_a_clock_that_is_far_off(self, verifier: Verifier, seconds: int) -> None:
        message = request()
        then = (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        error = refusal(lambda: verify(verifier, message, metadata(message, x_timestamp=then)))
        assert "clock" in error.message

    def test_is_an_unknown_client_in_the_words_of_a_wrong_certificate(self, verifier: Verifier) -> None:
        message = request()
        unknown = refusal(lambda: verify(verifier, message, metadata(message, x_client="nobody")))
        foreign = refusal(lambda: verify(verifier, message, metadata(message, uri=REPORTS_ID)))
        assert unknown.code is foreign.code is Code.UNAUTHENTICATED
        assert unknown.message == foreign.message

    def test_is_a_stolen_key_with_another_certificate(self, verifier: Verifier) -> None:
        message = request()
        error = refusal(lambda: verify(verifier, message, metadata(message, REPORTS_KEY, ADAPTER_ID)))
        assert error.code is Code.UNAUTHENTICATED

    def test_is_another_clients_key(self, verifier: Verifier) -> None:
        message = request()
        forged = Key("adapter", "k1", REPORTS_KEY.secret)
        error = refusal(lambda: verify(verifier, message, metadata(message, forged)))
        assert "does not match" in error.message

    def test_is_a_call_signed_for_another_deployment(self, listing: Listing) -> None:
        message = request()
        error = refusal(lambda: verify(Verifier("staging", listing), message, metadata(message)))
        assert "audience" in error.message

    def test_is_a_call_signed_for_another_method(self, verifier: Verifier) -> None:
        message = request()
        error = refusal(lambda: verify(verifier, message, metadata(message), method="SubmitJob"))
        assert error.code is Code.UNAUTHENTICATED

    @pytest.mark.parametrize("field", ["action", "actor", "args", "idempotency_key", "no_cache"])
    def test_is_a_request_that_was_changed(self, verifier: Verifier, field: str) -> None:
        message = request()
        fields = metadata(message)
        if field == "args":
            message.args["pages"] = "1-4"
        else:
            setattr(message, field, True if field == "no_cache" else "PDF_DIFF")
        assert refusal(lambda: verify(verifier, message, fields)).code is Code.UNAUTHENTICATED

    def test_is_a_request_with_unknown_fields(self, verifier: Verifier) -> None:
        message = request()
        fields = metadata(message)
        smuggled = pb.InvokeRequest.FromString(message.SerializeToString() + b"\xfa\x7f\x01x")
        assert refusal(lambda: verify(verifier, smuggled, fields)).code is Code.BAD_ARG

    def test_is_an_action_for_envoy_that_is_not_the_requests(self, verifier: Verifier) -> None:
        message = request()
        fields = metadata(message)
        other = tuple((name, "PDF_DIFF" if name == "x-action" else value) for name, value in fields)
        without = tuple(each for each in fields if each[0] != "x-action")
        for wrong in (other, without):
            assert "x-action" in refusal(lambda wrong=wrong: verify(verifier, message, wrong)).message

    def test_is_an_action_for_envoy_where_the_request_has_none(self, verifier: Verifier) -> None:
        message = pb.ListActionsRequest()
        fields = (*signed("ListActions", message), ("x-action", "PDF_TEXT"))
        error = refusal(lambda: verifier.verify(call(fields, "ListActions"), message, ""))
        assert error.code is Code.UNAUTHENTICATED

    def test_is_acting_for_others_without_the_right(self, verifier: Verifier) -> None:
        message = request("김철수")
        verified = verify(verifier, message, metadata(message, REPORTS_KEY, REPORTS_ID))
        assert verified.refusal is not None
        assert verified.refusal.code is Code.FORBIDDEN
        assert verified.caller.actor == "reports"

    @pytest.mark.parametrize("actor", ["a" * 257, "a\x1fb", "a\nb", "\x00"])
    def test_is_an_actor_that_is_no_name(self, verifier: Verifier, actor: str) -> None:
        message = request(actor)
        verified = verify(verifier, message, metadata(message))
        assert verified.refusal is not None
        assert verified.refusal.code is Code.BAD_ARG
        assert verified.caller.actor == "adapter"

    def test_is_a_person_who_bears_the_name_of_the_client_that_acts_for_people(self, verifier: Verifier) -> None:
        message = request("adapter")
        verified = verify(verifier, message, metadata(message))
        assert verified.refusal is not None
        assert verified.refusal.code is Code.FORBIDDEN


class TestWhileTheFileIsWatched:
    """Keys, clients and rights change without a restart."""

    @pytest.fixture(autouse=True)
    async def watching(self, listing: Listing) -> AsyncIterator[None]:
        watch = asyncio.create_task(listing.watch())
        yield
        watch.cancel()

    async def change(self, listing: Listing, write_clients: Callable[..., Path], *entries: object) -> None:
        """Writes another list, and waits until it counts."""
        before = listing.value
        write_clients(*entries)
        async with asyncio.timeout(5):
            while listing.value is before:  # noqa: ASYNC110  # what happens to a file sets no event here
                await asyncio.sleep(0.01)

    async def test_a_new_key_is_taken_beside_the_old_one_and_then_alone(
        self, listing: Listing, verifier: Verifier, write_clients: Callable[..., Path]
    ) -> None:
        old, new = REPORTS_KEY, REPORTS_NEW_KEY
        fits = []
        for keys in ((old,), (old, new), (new,)):
            await self.change(listing, write_clients, entry(*keys, certificate=REPORTS_ID))
            for key in (old, new):
                message = request()
                try:
                    verify(verifier, message, metadata(message, key, REPORTS_ID))
                except PapermeshError:
                    continue
                fits.append((len(keys), key.key_id))
        assert fits == [(1, "k1"), (2, "k1"), (2, "k2"), (1, "k2")]

    async def test_a_client_that_was_taken_off_the_list_is_unknown(
        self, listing: Listing, verifier: Verifier, write_clients: Callable[..., Path]
    ) -> None:
        message = request()
        verify(verifier, message, metadata(message))
        await self.change(listing, write_clients, *ENTRIES[1:])
        error = refusal(lambda: verify(verifier, message, metadata(message)))
        assert "not a client" in error.message

    async def test_an_actor_s_rights_change(
        self, listing: Listing, verifier: Verifier, write_clients: Callable[..., Path]
    ) -> None:
        def rights() -> Rights:
            message = request("kim@corp.example")
            return verify(verifier, message, metadata(message)).caller.rights

        assert rights().may_invoke("PDF_TEXT")
        grant = {"actors": ["*@corp.example"], "actions": ["PDF_M*"]}
        await self.change(listing, write_clients, {**ENTRIES[0], "grants": [grant]})
        assert not rights().may_invoke("PDF_TEXT")
        assert rights().may_invoke("PDF_METADATA")
        await self.change(listing, write_clients, {**ENTRIES[0], "grants": []})
        assert rights().are_none


def test_the_order_of_checks_tells_nothing_to_who_cannot_sign(verifier: Verifier) -> None:
    message = request("a" * 300)
    forged = metadata(message, x_signature="hmac-sha256=" + "0" * 64)
    assert "does not match" in refusal(lambda: verify(verifier, message, forged)).message


@pytest.mark.parametrize("part", ["x-client", "x-timestamp", "x-nonce", "x-signature", "x-action", "request"])
def test_two_thousand_mutations_of_a_signed_part_are_refused(verifier: Verifier, part: str) -> None:
    chance = random.Random(part)  # noqa: S311 - repeatable, not secret
    message = request("김철수")
    original = message.SerializeToString(deterministic=True)
    fields = metadata(message)
    accepted = []
    for _ in range(2000):
        if part == "request":
            changed = mutate(original, chance)
            try:
                arrived, wrong = pb.InvokeRequest.FromString(changed), fields
            except Exception:  # noqa: BLE001, S112 - no message at all: the handler refuses it before anybody verifies
                continue
            if arrived == message:
                continue
        else:
            arrived = message
            wrong = tuple((name, mutate_text(str(value), chance) if name == part else value) for name, value in fields)
            if wrong == fields:
                continue
        try:
            verify(verifier, arrived, wrong)
        except PapermeshError:
            continue
        accepted.append((arrived, wrong))
    assert not accepted


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Flips, removes or adds a few bytes."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(changed))
        what = chance.randrange(3)
        if what == 0:
            changed[place] ^= 1 << chance.randrange(8)
        elif what == 1:
            del changed[place]
        else:
            changed.insert(place, chance.randrange(256))
    return bytes(changed)


def mutate_text(text: str, chance: random.Random) -> str:
    """Changes, removes or adds a few letters."""
    letters = list(text)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(letters))
        other = chance.choice(string.printable + "é\x00")
        letters[place : place + chance.randrange(2)] = chance.choice(["", other])
    return "".join(letters)
