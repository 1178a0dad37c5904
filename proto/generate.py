"""Compiles the protos into gen/: Python stubs, and a descriptor set that keeps the comments.

`make gen` runs it; CI runs it again and fails on a difference. The stubs lack comments, and the catalogue shows
them to people, so the descriptor set with source info ships beside the stubs.
"""

import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Writes gen/ anew and returns protoc's exit status."""
    out = ROOT / "gen"
    shutil.rmtree(out, ignore_errors=True)
    (out / "papermesh").mkdir(parents=True)
    ours = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    theirs = ["buf/validate/validate.proto"]
    services = [path for path in ours if path.endswith("_service.proto")]
    # mypy-protobuf's plugins sit beside the interpreter and type what protoc's own --pyi_out leaves out: extensions.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    include = [
        f"-I{ROOT / 'proto'}",
        f"-I{ROOT / 'third_party' / 'protovalidate'}",
        f"-I{files('grpc_tools') / '_proto'}",
    ]
    stubs = protoc.main(["protoc", *include, f"--python_out={out}", f"--mypy_out={out}", *ours, *theirs])
    grpc_stubs = protoc.main(["protoc", *include, f"--grpc_python_out={out}", f"--mypy_grpc_out={out}", *services])
    descriptors = out / "papermesh" / "descriptors.binpb"
    described = protoc.main(
        [
            "protoc",
            *include,
            f"--descriptor_set_out={descriptors}",
            "--include_imports",
            "--include_source_info",
            *services,
        ]
    )
    return stubs or grpc_stubs or described


if __name__ == "__main__":
    sys.exit(main())
