from pathlib import Path

from google.protobuf import descriptor_pb2

from services.base.schema import Comments
from tests.support.protos import compile_proto

BODY = """
// Outer has
// two lines.
//
// And a second paragraph.
message Outer {
  // Plain field.
  string plain = 1;
  string silent = 2; // A trailing comment is not the field's description.
  // Inner is nested.
  message Inner {
    // Deep field.
    string deep = 1;
  }
  // Kind of it.
  enum Kind {
    // Not known.
    KIND_UNSPECIFIED = 0;
  }
}
// HouseService serves.
service HouseService {
  // Ask asks.
  rpc Ask(Outer) returns (Outer) {}
}
"""


def test_comments_are_found_by_full_name(tmp_path: Path) -> None:
    compiled = compile_proto(BODY, tmp_path)
    files = descriptor_pb2.FileDescriptorSet.FromString(compiled.descriptors.read_bytes()).file
    comments = Comments(files)
    expected = {
        "Outer": "Outer has two lines.\n\nAnd a second paragraph.",
        "Outer.plain": "Plain field.",
        "Outer.silent": "",
        "Outer.Inner": "Inner is nested.",
        "Outer.Inner.deep": "Deep field.",
        "Outer.Kind": "Kind of it.",
        "Outer.KIND_UNSPECIFIED": "Not known.",
        "HouseService": "HouseService serves.",
        "HouseService.Ask": "Ask asks.",
        "Nothing": "",
    }
    assert {name: comments.of(f"{compiled.package}.{name}") for name in expected} == expected
    assert comments.of("papermesh.document.v1.DocumentRef.path").startswith("Path of the file inside the project")
