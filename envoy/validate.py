"""Asks Envoy itself whether it would accept a configuration."""

import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from envoy.render import write
from envoy.topology import Topology
from services.base.actions import ActionTable
from services.base.errors import OperatorError
from trust.certificates import ensure


def validate(binary: Path, bootstrap: Path) -> str:
    """Runs `envoy --mode validate`, which also reads the secrets and opens no port.

    Returns:
        Envoy's messages, deprecations included; empty when all is well.

    Raises:
        OperatorError: when Envoy refuses it, in Envoy's own words.
    """
    answer = subprocess.run(  # noqa: S603 - the binary is the one that `find` chose
        [binary, "--mode", "validate", "--log-level", "warning", "--disable-hot-restart", "--config-path", bootstrap],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = answer.stderr.strip()
    if answer.returncode != 0:
        raise OperatorError(said)
    return said


def validate_topology(binary: Path, topology: Topology, table: ActionTable) -> str:
    """Renders in a temporary folder with new certificates, so the topology's own need not exist, and validates."""
    with tempfile.TemporaryDirectory(prefix="papermesh-") as name:
        folder = Path(name)
        ensure(folder / "certs", topology.namespace, ["envoy"])
        here = replace(
            topology,
            config_dir=str(folder),
            tls_dir=str(folder / "certs" / "envoy"),
            admin_socket=str(folder / "admin.sock"),
            access_log=topology.access_log and str(folder / "access.jsonl"),
        )
        return validate(binary, write(here, table, folder))
