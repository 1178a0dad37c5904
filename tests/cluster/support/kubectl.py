"""kubectl, as whoever KUBECONFIG makes of the tests."""

import json
import shutil
import subprocess
from typing import Any

Object = dict[str, Any]

LIMIT_S = 240


def program() -> str:
    """Where kubectl is."""
    found = shutil.which("kubectl")
    assert found, "There is no kubectl on the PATH."
    return found


def kubectl(*arguments: str, given: Object | str | bytes | None = None) -> str:
    """Runs kubectl, and fails with its words when it does.

    Args:
        arguments: Its arguments.
        given: Its standard input; an object is given as JSON.

    Returns:
        What it printed.
    """
    text = json.dumps(given) if isinstance(given, dict) else given
    raw = text.encode() if isinstance(text, str) else text
    command = [program(), *arguments]
    ended = subprocess.run(command, input=raw, capture_output=True, check=False, timeout=LIMIT_S)
    assert ended.returncode == 0, f"kubectl {' '.join(arguments)}: {ended.stderr.decode()}"
    return ended.stdout.decode()


def objects(kind: str, *arguments: str) -> list[Object]:
    """The objects of a kind: objects("pods", "-n", "demo", "-l", "app=x")."""
    found: list[Object] = json.loads(kubectl("get", kind, *arguments, "-o", "json"))["items"]
    return found


def execute(
    namespace: str, pod: str, *command: str, given: str | bytes | None = None, container: str | None = None
) -> str:
    """Runs a command in a pod's default container, or in the one that is named; what it printed."""
    where = ["-c", container] if container else []
    return kubectl("-n", namespace, "exec", "-i", pod, *where, "--", *command, given=given)
