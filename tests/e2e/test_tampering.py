"""Whatever is changed in a signed call, it is refused: by its signature, or because it cannot be a call at all.

Random changes to one good call, each of which changes the text that was signed. None may be accepted, and none may
meet a bug. The good call itself is made last: nothing before it used up its nonce.
"""

import random
import string
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import DecodeError

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base.canonical import canonical_json
from services.base.errors import PapermeshError
from tests.e2e.support.caller import Caller, Metadata, invocation
from tests.e2e.support.deployment import Deployment

COUNT = 2_000
FIRST_UNKNOWN_FIELD, LAST_UNKNOWN_FIELD = 100, 15_000
WORDS = ("", "a", "PDF_TEXT", "제12조", "é", "e\u0301", "\u0000", "../..", " ", "김철수", "adapter", "operator")
LETTERS = string.ascii_letters + string.digits + "_-"

Sent = tuple[bytes, Metadata]


class Forger:
    """Changes one thing in a good call."""

    def __init__(self, caller: Caller, call: pb.InvokeRequest, seed: int) -> None:
        self.caller = caller.but(at=datetime.now(UTC))
        self.call = call
        self.text = canonical_json(call)
        self.good: Sent = (call.SerializeToString(), self.caller.sign("Invoke", call))
        self.chance = random.Random(seed)  # noqa: S311 - the same changes each time

    def signed_otherwise(self, method: str = "Invoke", **changes: Any) -> Sent:
        """The good call under a signature of something else."""
        other = self.caller.but(nonce=dict(self.good[1])["x-nonce"], **changes)
        return self.good[0], other.signature.metadata(method, self.text, self.call.action)

    def with_header(self, name: str, value: str) -> Sent:
        """The good call with a header exchanged after it was signed."""
        message, metadata = self.good
        return message, tuple((key, value if key == name else old) for key, old in metadata)

    def with_message(self, change: Callable[[pb.InvokeRequest], None]) -> Sent:
        """The good call with its message changed after it was signed."""
        message = pb.InvokeRequest()
        message.CopyFrom(self.call)
        change(message)
        return message.SerializeToString(), self.good[1]

    def audience(self) -> Sent:
        return self.signed_otherwise(audience=self.other_word(self.caller.signature.audience))

    def method(self) -> Sent:
        return self.signed_otherwise(self.chance.choice(["SubmitJob", "GetDocument", self.other_word("Invoke")]))

    def time(self) -> Sent:
        then = datetime.now(UTC) + timedelta(seconds=self.chance.choice([-1, 1]) * self.chance.randint(3, 280))
        return self.with_header("x-timestamp", then.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def nonce(self) -> Sent:
        return self.with_header("x-nonce", self.other_word(dict(self.good[1])["x-nonce"]))

    def client(self) -> Sent:
        return self.with_header("x-client", self.chance.choice(["adapter", "reports", self.other_word("operator")]))

    def signature(self) -> Sent:
        digits = dict(self.good[1])["x-signature"]
        place = self.chance.randrange(len("hmac-sha256="), len(digits))
        other = self.chance.choice([digit for digit in "0123456789abcdef" if digit != digits[place]])
        return self.with_header("x-signature", digits[:place] + other + digits[place + 1 :])

    def x_action(self) -> Sent:
        return self.with_header("x-action", self.chance.choice(["PDF_TEXT", self.other_word("PDF_METADATA")]))

    def actor(self) -> Sent:
        return self.with_message(lambda message: setattr(message, "actor", self.chance.choice(WORDS) + "x"))

    def action(self) -> Sent:
        message, metadata = self.with_message(lambda message: setattr(message, "action", "PDF_TEXT"))
        both = self.chance.random() < 0.5
        return message, self.with_header("x-action", "PDF_TEXT")[1] if both else metadata

    def other_fields(self) -> Sent:
        def change(message: pb.InvokeRequest) -> None:
            if self.chance.random() < 0.5:
                message.no_cache = True
            else:
                message.idempotency_key = self.other_word("once")

        return self.with_message(change)

    def arguments(self) -> Sent:
        def change(message: pb.InvokeRequest) -> None:
            inside = self.chance.random() < 0.5
            struct = message.args.fields["doc_ref"].struct_value if inside else message.args
            key = self.chance.choice([*struct.fields, *WORDS])
            if key in struct.fields and self.chance.random() < 0.3:
                del struct.fields[key]
            else:
                struct[key] = self.value()

        return self.with_message(change)

    def unknown_field(self) -> Sent:
        message, metadata = self.good
        tag = self.chance.randint(FIRST_UNKNOWN_FIELD, LAST_UNKNOWN_FIELD) << 3
        kind, content = self.chance.choice([(0, b"\x01"), (1, b"12345678"), (2, b"\x03abc"), (5, b"1234")])
        tag |= kind
        field = bytes([tag & 0x7F | 0x80, tag >> 7 & 0x7F | 0x80, tag >> 14]) + content
        return (field + message if self.chance.random() < 0.5 else message + field), metadata

    def doubled_header(self) -> Sent:
        message, metadata = self.good
        name, value = self.chance.choice(metadata)
        twin = (name, self.chance.choice([value, self.other_word(value)]))
        return message, ((twin, *metadata) if self.chance.random() < 0.5 else (*metadata, twin))

    def wire_bytes(self) -> Sent:
        changed = bytearray(self.good[0])
        for _ in range(self.chance.randint(1, 3)):
            place = self.chance.randrange(len(changed))
            match self.chance.randrange(3):
                case 0:
                    changed[place] ^= 1 << self.chance.randrange(8)
                case 1:
                    del changed[place]
                case _:
                    changed.insert(place, self.chance.randrange(256))
        return bytes(changed), self.good[1]

    def value(self) -> Any:
        return self.chance.choice(
            [None, True, False, 0, -1, 1.5, 2**53 - 1, self.chance.random(), *WORDS, [], {}, ["a"], {"a": {"b": [1]}}]
        )

    def other_word(self, word: str) -> str:
        """The word with a letter exchanged, removed or added."""
        place = self.chance.randrange(len(word))
        letter = self.chance.choice([each for each in LETTERS if each != word[place]])
        return word[:place] + self.chance.choice([letter, "", letter + word[place]]) + word[place + 1 :]

    def changes(self, count: int) -> Iterator[tuple[str, Sent]]:
        """That many changed calls, of every kind, none of which says what was signed."""
        kinds = (
            *(self.audience, self.method, self.time, self.nonce, self.client, self.signature, self.x_action),
            *(self.actor, self.action, self.other_fields, self.arguments, self.arguments, self.arguments),
            *(self.unknown_field, self.doubled_header, self.wire_bytes, self.wire_bytes),
        )
        made = 0
        while made < count:
            kind = kinds[made % len(kinds)]
            sent = kind()
            if sent[1] == self.good[1] and self.says_the_same(sent[0]):
                continue
            made += 1
            yield kind.__name__, sent

    def says_the_same(self, message: bytes) -> bool:
        """Whether other bytes are the same message: a map's entries in another order, say."""
        try:
            return canonical_json(pb.InvokeRequest.FromString(message)) == self.text
        except (DecodeError, PapermeshError):
            return False


@pytest.fixture
def call(mesh: Deployment, operator: Caller) -> pb.InvokeRequest:
    """A good call by the operator for a person, with arguments of several kinds."""
    content = mesh.good_document.read_bytes()
    args = {"doc_ref": operator.put(content, actor="김철수@corp.example")}
    return invocation("PDF_METADATA", args, actor="김철수@corp.example")


def test_of_two_thousand_changed_calls_none_is_accepted_and_none_meets_a_bug(
    operator: Caller, call: pb.InvokeRequest
) -> None:
    forger = Forger(operator, call, seed=2026)
    outcomes: Counter[tuple[str, str]] = Counter()
    for kind, (message, metadata) in forger.changes(COUNT):
        outcomes[kind, operator.refusal("Invoke", message, metadata).code] += 1
    by_code = Counter[str]()
    for (_, code), count in outcomes.items():
        by_code[code] += count
    print(f"{outcomes.total()} changed calls: {dict(by_code)}")  # noqa: T201 - a figure
    assert outcomes.total() == COUNT
    assert by_code.keys() == {"UNAUTHENTICATED", "BAD_ARG"}, outcomes
    signed = {kind for kind, code in outcomes if code == "BAD_ARG"}
    assert signed <= {"unknown_field", "wire_bytes", "arguments"}, "only what cannot be a call is a bad argument"
    assert operator.call("Invoke", call, forger.good[1]), "the call as it was signed is good"


def test_an_upload_of_other_bytes_than_were_signed_is_refused(operator: Caller) -> None:
    content = b"%PDF-1.7 one"
    reference = operator.put(content)
    header = pb.PutDocumentHeader(sha256=reference["sha256"], size=len(content))
    signed = operator.sign("PutDocument", header)
    for name, value in (("sha256", "0" * 64), ("size", 13), ("actor", "kim")):
        other = pb.PutDocumentHeader(sha256=header.sha256, size=header.size)
        setattr(other, name, value)
        refusal = operator.channel.refusal(
            "/papermesh.dispatch.v1.DispatchService/PutDocument",
            [pb.PutDocumentRequest(header=other).SerializeToString()],
            signed,
        )
        refusal.must_be("UNAUTHENTICATED", says="does not match")
