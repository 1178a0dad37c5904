import json
import math
from typing import Any

import orjson
import pytest
import rfc8785
from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1 import document_pb2
from services.base import canonical
from services.base.errors import Code, PapermeshError

SAFE = 2**53 - 1

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(-SAFE, SAFE, allow_nan=False, allow_infinity=False)
    | text
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=12
)
arguments = st.dictionaries(text, values, max_size=5)


def invoke(args: dict[str, Any]) -> pb.InvokeRequest:
    request = pb.InvokeRequest(action="PDF_TEXT")
    request.args.SetInParent()
    canonical.json_to_struct(canonical.check_json(args), request.args)
    return request


def nested(levels: int, *, lists: bool = False) -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = [value] if lists else {"a": value}
    return value


def refused(message: pb.InvokeRequest) -> PapermeshError:
    with pytest.raises(PapermeshError) as caught:
        canonical.request_json(message)
    assert caught.value.code is Code.BAD_ARG
    return caught.value


class TestSerialisation:
    @given(values)
    def test_is_rfc_8785_for_every_value(self, value: Any) -> None:
        assert canonical.dumps(value) == rfc8785.dumps(value)

    @given(st.dictionaries(st.text(st.characters(codec="ascii")), st.integers(-SAFE, SAFE) | text))
    def test_is_rfc_8785_on_the_fast_path(self, value: Any) -> None:
        assert canonical.dumps(value) == rfc8785.dumps(value)

    def test_orders_keys_by_utf_16(self) -> None:
        assert canonical.dumps({"\U0001f600": 1, "\ufb33": 2}) == '{"\U0001f600":1,"\ufb33":2}'.encode()

    def test_writes_floats_as_ecmascript_does(self) -> None:
        assert canonical.dumps([1e-7, 0.1, 5e-324, 1.5e300]) == b"[1e-7,0.1,5e-324,1.5e+300]"


class TestRequests:
    @given(arguments)
    def test_have_the_same_canonical_json_after_the_wire(self, args: dict[str, Any]) -> None:
        request = invoke(args)
        arrived = pb.InvokeRequest.FromString(request.SerializeToString())
        assert canonical.canonical_json(arrived) == canonical.canonical_json(request)

    @given(arguments)
    def test_are_canonical_as_the_adapter_writes_them_without_the_message(self, args: dict[str, Any]) -> None:
        written = canonical.dumps({"action": "PDF_TEXT", "args": canonical.check_json(args)})
        assert canonical.canonical_json(invoke(args)) == written

    @given(st.builds(document_pb2.DocumentRef, type=text, project_path=text, path=text, ref=text, sha256=text))
    def test_are_proto3_json_for_documents(self, document: document_pb2.DocumentRef) -> None:
        request = pb.GetDocumentRequest(doc_ref=document)
        assert canonical.request_json(request) == MessageToDict(request, preserving_proto_field_name=True)

    @given(st.builds(pb.PutDocumentHeader, sha256=text, size=st.integers(-(2**63), 2**63 - 1), actor=text))
    def test_are_proto3_json_for_upload_headers(self, header: pb.PutDocumentHeader) -> None:
        assert canonical.request_json(header) == MessageToDict(header, preserving_proto_field_name=True)

    @given(arguments)
    def test_mean_what_proto3_json_means_for_arguments(self, args: dict[str, Any]) -> None:
        request = invoke(args)
        assert canonical.request_json(request) == MessageToDict(request, preserving_proto_field_name=True)

    def test_leave_out_fields_at_their_default(self) -> None:
        assert canonical.canonical_json(pb.InvokeRequest(action="", no_cache=False)) == b"{}"

    def test_write_a_message_that_is_set_but_empty(self) -> None:
        assert canonical.canonical_json(invoke({})) == b'{"action":"PDF_TEXT","args":{}}'

    def test_write_integral_numbers_without_a_fraction(self) -> None:
        assert canonical.canonical_json(invoke({"n": 3.0, "z": -0.0})) == b'{"action":"PDF_TEXT","args":{"n":3,"z":0}}'

    def test_write_64_bit_integers_as_text(self) -> None:
        assert canonical.canonical_json(pb.PutDocumentHeader(size=2**60)) == b'{"size":"%d"}' % 2**60


class TestUnknownFields:
    UNKNOWN = b"\xfa\x7f\x01x"  # field 2047, a string

    def test_are_refused_at_the_top(self) -> None:
        refused(pb.InvokeRequest.FromString(invoke({"a": 1}).SerializeToString() + self.UNKNOWN))

    def test_are_refused_in_the_arguments(self) -> None:
        args = struct_pb2.Struct.FromString(self.UNKNOWN)
        refused(pb.InvokeRequest.FromString(pb.InvokeRequest(args=args).SerializeToString()))

    def test_are_refused_in_a_value_deep_inside(self) -> None:
        request = invoke({"a": [{"b": 1}]})
        leaf = request.args.fields["a"].list_value.values[0].struct_value.fields["b"]
        leaf.MergeFromString(self.UNKNOWN)
        refused(pb.InvokeRequest.FromString(request.SerializeToString()))

    def test_are_refused_in_a_document(self) -> None:
        document = document_pb2.DocumentRef.FromString(self.UNKNOWN)
        with pytest.raises(PapermeshError, match="does not know"):
            canonical.request_json(pb.GetDocumentRequest(doc_ref=document))


class TestLimits:
    @pytest.mark.parametrize("lists", [False, True])
    def test_thirty_levels_are_taken_and_thirty_one_refused(self, *, lists: bool) -> None:
        deep = nested(29, lists=lists)
        assert canonical.check_json({"a": deep}) == {"a": deep}
        assert canonical.request_json(invoke({"a": deep}))["args"] == {"a": deep}
        with pytest.raises(PapermeshError, match="30 levels"):
            canonical.check_json({"a": nested(30, lists=lists)})

    @pytest.mark.parametrize("lists", [False, True])
    def test_a_message_with_thirty_one_levels_is_refused(self, *, lists: bool) -> None:
        request = pb.InvokeRequest()
        canonical.json_to_struct({"a": nested(30, lists=lists)}, request.args)
        assert "30 levels" in refused(request).message

    def test_arguments_nested_as_deep_as_protobuf_reads_them_are_refused(self) -> None:
        request = pb.InvokeRequest()  # as bytes each level is three messages, and protobuf reads a hundred
        canonical.json_to_struct({"a": nested(30, lists=False)}, request.args)
        assert "30 levels" in refused(pb.InvokeRequest.FromString(request.SerializeToString())).message

    @pytest.mark.parametrize("number", [SAFE, -SAFE, float(SAFE)])
    def test_the_largest_exact_integers_are_taken(self, number: float) -> None:
        assert canonical.request_json(invoke({"n": number}))["args"] == {"n": int(number)}

    @pytest.mark.parametrize("number", [2**53, -(2**53), 1e300, math.nan, math.inf, -math.inf])
    def test_other_large_and_not_finite_numbers_are_refused(self, number: float) -> None:
        with pytest.raises(PapermeshError) as caught:
            canonical.check_json({"a": [{"n": number}]})
        assert [each.field for each in caught.value.violations] == ["args.a[0].n"]
        request = pb.InvokeRequest()
        request.args.fields["n"].number_value = number
        assert [each.field for each in refused(request).violations] == ["args.n"]

    def test_an_integer_too_large_for_a_float_is_refused(self) -> None:
        with pytest.raises(PapermeshError, match="beyond"):
            canonical.check_json({"n": 10**400})

    @pytest.mark.parametrize("half", ["\ud800", "a\udfff"])
    def test_half_a_surrogate_pair_is_refused(self, half: str) -> None:
        for args in ({"a": half}, {half: 1}, {"a": [{half: 1}]}):
            with pytest.raises(PapermeshError, match="surrogate") as caught:
                canonical.check_json(args)
            caught.value.message.encode()

    @pytest.mark.parametrize("args", [{"a": [0] * 9_999}, {"a": dict.fromkeys(map(str, range(9_999)), 0)}])
    def test_ten_thousand_values_are_taken_and_one_more_is_not(self, args: dict[str, Any]) -> None:
        assert canonical.check_json(args) == args
        assert canonical.request_json(invoke(args))["args"] == args
        more = {**args, "b": 0}
        with pytest.raises(PapermeshError, match="over 10000 values"):
            canonical.check_json(more)
        request = invoke(args)
        request.args.fields["b"].number_value = 0
        assert "over 10000 values" in refused(request).message

    def test_null_is_a_value(self) -> None:
        assert canonical.canonical_json(invoke({"a": None})) == b'{"action":"PDF_TEXT","args":{"a":null}}'

    def test_a_value_without_a_kind_is_refused(self) -> None:
        request = pb.InvokeRequest()
        request.args.fields["a"].SetInParent()
        assert [each.field for each in refused(request).violations] == ["args.a"]

    def test_a_long_key_does_not_multiply_its_length(self) -> None:
        # The place of each entry is kept for errors; with the whole key in it these would take gigabytes.
        wide = {"k" * 500_000: dict.fromkeys(map(str, range(9_000)), 1)}
        assert canonical.check_json(wide) == wide
        with pytest.raises(PapermeshError) as caught:
            canonical.check_json({"k" * 500_000: math.inf})
        assert len(caught.value.message) < 300


@given(arguments)
def test_a_checked_value_goes_through_a_struct_unchanged(args: dict[str, Any]) -> None:
    checked = canonical.check_json(args)
    struct = struct_pb2.Struct()
    canonical.json_to_struct(checked, struct)
    assert canonical.request_json(pb.InvokeRequest(args=struct)).get("args", {}) == checked
    assert json.loads(orjson.dumps(checked)) == checked
