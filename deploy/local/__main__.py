"""The commands behind `make up` and `make down`."""

import argparse
import os
import sys
from pathlib import Path

from deploy.local.down import down
from deploy.local.up import USUAL_ROOT, up


def main() -> int:
    """Runs one command and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="Papermesh on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="run everything until Ctrl-C")
    commands.add_parser("down", help="stop it from outside, and end what a lost terminal left running")
    arguments = parser.parse_args()
    os.umask(0o077)  # for Redis, Envoy and their files too
    root = Path(os.environ.get("PAPERMESH_VAR") or USUAL_ROOT)
    return up(root, os.environ) if arguments.command == "up" else down(root)


if __name__ == "__main__":
    sys.exit(main())
