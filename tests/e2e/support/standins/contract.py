"""What the stand-in is called, its proto compiled, and its entry in the deployment's list."""

from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

from deploy.workloads import Workload

SERVICE = "standin.v1.StandinService"
WORKLOAD = "standin"

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[3]


def entry(folder: Path) -> Workload:
    """The service as the deployment's list has it, its descriptor set compiled into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Workload(
        name=WORKLOAD,
        module="tests.e2e.support.standins",
        port=9190,
        proto_services=(SERVICE,),
        descriptors=(_compiled(folder),),
    )


def _compiled(folder: Path) -> Path:
    target = folder / "standin.binpb"
    status = protoc.main(
        [
            "protoc",
            f"-I{_HERE}",
            f"-I{_ROOT / 'proto'}",
            f"-I{_ROOT / 'third_party' / 'protovalidate'}",
            f"-I{files('grpc_tools') / '_proto'}",
            f"--descriptor_set_out={target}",
            "--include_imports",
            "--include_source_info",
            "standin_service.proto",
        ]
    )
    assert status == 0, "protoc refuses standin_service.proto; its words stand above"
    return target
