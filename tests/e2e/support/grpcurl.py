"""grpcurl, as an operator uses it."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2

_LIMIT_S = 30


@dataclass(frozen=True)
class Grpcurl:
    """The program, and a descriptor set of the health service, which ours leaves out."""

    program: Path
    protoset: Path

    @classmethod
    def find(cls, folder: Path) -> "Grpcurl":
        """The one that `make test-all` builds, or the one on the PATH.

        Args:
            folder: For the descriptor set.
        """
        own = Path(sys.prefix, "go", "bin", "grpcurl")
        program = own if own.exists() else shutil.which("grpcurl")
        assert program, "grpcurl is missing; `make test-all` builds it with Go"
        files = descriptor_pb2.FileDescriptorSet()
        health_pb2.DESCRIPTOR.CopyToProto(files.file.add())
        protoset = folder / "health.binpb"
        protoset.write_bytes(files.SerializeToString())
        return cls(Path(program), protoset)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Runs it and waits."""
        command = [str(self.program), "-max-time", "20", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)

    @staticmethod
    def certificate(tls_dir: Path) -> tuple[str, ...]:
        """The options that show a certificate."""
        return ("-cert", str(tls_dir / "tls.crt"), "-key", str(tls_dir / "tls.key"))

    @staticmethod
    def trust(tls_dir: Path) -> tuple[str, ...]:
        """The options that trust the mesh's CA."""
        return ("-cacert", str(tls_dir / "ca.crt"))
