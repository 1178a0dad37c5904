"""The commands behind `make up` and `make down`."""

import argparse
import os
import sys
from pathlib import Path

from deploy.local.down import down
from deploy.local.up import up

_CLONE = Path(__file__).resolve().parents[2]


def main() -> int:
    """Runs one command and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="Papermesh on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="run everything until Ctrl-C")
    commands.add_parser("down", help="stop it from outside, and end what a lost terminal left running")
    arguments = parser.parse_args()
    root = Path(os.environ.get("PAPERMESH_VAR") or _CLONE / "var")
    return up(root, os.environ) if arguments.command == "up" else down(root)


if __name__ == "__main__":
    sys.exit(main())
