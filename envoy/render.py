"""Renders a topology and the action table into the files that Envoy reads."""

from pathlib import Path

import yaml

from envoy import tls
from envoy.bootstrap import bootstrap
from envoy.topology import Topology
from services.base.actions import ActionTable

BOOTSTRAP_FILE = "envoy.yaml"

_HEADER = "# Rendered by `python -m envoy render`; change the modules in envoy/ or the topology instead.\n"


def render(topology: Topology, table: ActionTable) -> dict[str, str]:
    """The files by name: the bootstrap, and the secrets that it refers to in the topology's `config_dir`."""
    files = {BOOTSTRAP_FILE: bootstrap(table, topology), **tls.secrets(topology)}
    return {
        name: _HEADER + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
        for name, content in files.items()
    }


def write(topology: Topology, table: ActionTable, directory: Path) -> Path:
    """Writes the files into `directory`, the topology's `config_dir`; returns the bootstrap, for `--config-path`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in render(topology, table).items():
        (directory / name).write_text(content, encoding="utf-8")
    return directory / BOOTSTRAP_FILE


class _Dumper(yaml.SafeDumper):
    """Writes repeated content in full: an alias saves a line and costs the reader."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - of the base class
        return True
