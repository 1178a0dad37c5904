"""A program of the tests' own in a pod, which says in lines of JSON how far it is."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.support.kubectl import Object, execute, program
from tests.cluster.support.pods import running

SAMPLE = Path(__file__).parents[3] / "samples" / "leave-policy.pdf"


@dataclass(frozen=True)
class Talker:
    """The program."""

    namespace: str
    pod: str
    process: "subprocess.Popen[str]"

    def line(self, limit_s: float) -> dict[str, Any]:
        """The next line that it prints."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        late = threading.Timer(limit_s, self.process.kill)
        late.start()
        line = self.process.stdout.readline()
        late.cancel()
        assert line, f"{self.pod} ended without a word: {self.process.stderr.read()}"
        said: dict[str, Any] = json.loads(line)
        return said

    def stop(self) -> None:
        """Asks it to come to an end, by the file that it looks for."""
        execute(self.namespace, self.pod, "touch", "/tmp/stop")  # noqa: S108 - of the pod


@contextmanager
def talking(namespace: str, pod: Object, script: Path, *arguments: str) -> Iterator[Talker]:
    """Runs a script in a pod of its own, with the sample document in /tmp, while the block lasts."""
    name = pod["metadata"]["name"]
    with running(namespace, pod):
        execute(namespace, name, "sh", "-c", "cat >/tmp/document.pdf", given=SAMPLE.read_bytes())
        command = [program(), "-n", namespace, "exec", "-i", name, "--"]
        command += ["python", "-c", script.read_text(encoding="utf-8"), *arguments]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield Talker(namespace, name, process)
            finally:
                process.kill()
