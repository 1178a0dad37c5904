"""Compiles the service's proto when it is needed; the message classes are made from the result, without stubs."""

from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

SERVICE = "papermesh.bench.v1.BareService"
ACTION = "BENCH_NOTHING"

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]


def compile_into(folder: Path) -> Path:
    """Writes the descriptor set of the service into a folder and returns its path.

    Raises:
        RuntimeError: when protoc refuses the proto.
    """
    target = folder / "bare.binpb"
    arguments = [
        "protoc",
        f"-I{_HERE}",
        f"-I{_ROOT / 'proto'}",
        f"-I{files('grpc_tools') / '_proto'}",
        f"--descriptor_set_out={target}",
        "--include_imports",
        "--include_source_info",
        "bare_service.proto",
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError("protoc refuses bare_service.proto; its words are above.")
    return target
