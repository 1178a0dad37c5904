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


class ConfigurationError(OperatorError):
    """Envoy refuses the configuration; the text is Envoy's own."""


def validate(binary: Path, bootstrap: Path) -> str:
    """Runs `envoy --mode validate`, which also reads the secrets and opens no port.

    Returns:
        Envoy's messages, deprecations included; empty when all is well.

    Raises:
        ConfigurationError: when Envoy refuses it.
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
        raise ConfigurationError(said)
    return said


def validate_topology(binary: Path, topology: Topology, table: ActionTable) -> str:
    """Renders and validates in a temporary folder with new certificates, so the topology's own folders need not exist.

    Returns:
        Envoy's messages.

    Raises:
        ConfigurationError: when Envoy refuses it.
    """
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
