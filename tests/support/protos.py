"""Small protos, compiled while a test runs."""

import uuid
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[2]

_HEAD = """\
syntax = "proto3";
package {package};
import "buf/validate/validate.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "papermesh/document/v1/document.proto";
import "papermesh/options/v1/options.proto";
"""


@dataclass(frozen=True)
class Compiled:
    """A descriptor set and the package in it, which no other test has."""

    package: str
    descriptors: Path


def compile_proto(body: str, folder: Path) -> Compiled:
    """Compiles what follows the imports of a proto; `$P` in it stands for the package."""
    package = f"house_{uuid.uuid4().hex}.v1"
    source = folder / f"{package.replace('.', '_')}.proto"
    source.write_text(_HEAD.format(package=package) + body.replace("$P", package), encoding="utf-8")
    descriptors = source.with_suffix(".binpb")
    status = protoc.main(
        [
            "protoc",
            f"-I{folder}",
            f"-I{ROOT / 'proto'}",
            f"-I{ROOT / 'third_party' / 'protovalidate'}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--descriptor_set_out={descriptors}",
            "--include_imports",
            "--include_source_info",
            source.name,
        ]
    )
    assert status == 0, "protoc refused the proto of this test; its words stand above"
    return Compiled(package, descriptors)
