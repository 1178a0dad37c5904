"""A real Redis on a socket of its own."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from deploy.local import redis_server

START_LIMIT_S = 20


@dataclass
class RedisServer:
    """A Redis on a Unix socket in a short folder (a socket's path has room for about a hundred letters)."""

    folder: Path
    options: tuple[str, ...] = ()
    password: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        secret = f":{quote(self.password, safe='')}@" if self.password else ""
        return f"unix://{secret}{self.folder}/r.sock"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", f"{self.folder}/r.sock", "--save", "", "--dir", str(self.folder)]
        if self.password:
            options += ["--requirepass", self.password]
        self.process = subprocess.Popen([redis_server.find(), *options, *self.options], stdout=subprocess.DEVNULL)
        end = time.monotonic() + START_LIMIT_S
        while not self._answers():
            assert self.process.poll() is None, "Redis ended"
            assert time.monotonic() < end, "Redis did not answer in time"

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_LIMIT_S)
            self.process = None

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(START_LIMIT_S)
            self.process = None

    def admin(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def _answers(self) -> bool:
        try:
            with self.admin() as admin:
                return bool(admin.ping())
        except redis.RedisError:
            return False
