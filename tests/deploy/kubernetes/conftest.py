"""A peer for the Job: an API server of Kubernetes as far as Secrets and pods go, over HTTPS in this process."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from deploy.kubernetes.api_server import ApiServer
from trust.certificates.issuing import issue_ca, issue_leaf

NAMESPACE = "office"
TOKEN = "a-service-account's-token"  # noqa: S105 - of this test's own server
LABELS = {"app.kubernetes.io/instance": "pm"}


class Cluster:
    """What the API server knows, and what it does about it."""

    def __init__(self) -> None:
        self.secrets: dict[str, dict[str, Any]] = {}
        self.pods: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.after_write: Callable[[], None] = lambda: None
        self.before_request: Callable[[], None] = lambda: None
        self.after_listing: Callable[[], None] = lambda: None
        self.writes_left = 1_000_000
        """After which the server is gone, in the middle of whatever."""
        self.refusing: dict[str, int] = {}
        """Method to status."""
        self.hiccups: list[int] = []
        """Statuses of the next answers; then it answers again."""
        self.token = TOKEN
        """Of whom it answers."""
        self.ahead_s = 0
        """How far its clock is ahead of everybody's, in seconds."""
        self._lock = threading.Lock()

    @property
    def writes(self) -> list[str]:
        return [f"{method} {path.rsplit('/', 1)[-1]}" for method, path in self.requests if method in {"POST", "PUT"}]

    def pod(self, component: str, address: str, *, phase: str = "Running", ending: bool = False) -> None:
        labels = {"app.kubernetes.io/instance": "pm", "app.kubernetes.io/component": component}
        metadata: dict[str, Any] = {"name": f"{component}-{len(self.pods)}", "labels": labels}
        if ending:
            metadata["deletionTimestamp"] = "2026-11-21T00:00:00Z"
        self.pods.append({"metadata": metadata, "status": {"phase": phase, "podIP": address}})

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        self.before_request()
        with self._lock:
            url = urlsplit(target)
            self.requests.append((method, url.path))
            if self.hiccups:
                return self.hiccups.pop(0), {}
            if method in self.refusing:
                return self.refusing[method], {"message": f"no: {json.dumps(body)}"}
            if url.path == f"/api/v1/namespaces/{NAMESPACE}/pods":
                assert unquote(url.query) == "labelSelector=app.kubernetes.io/instance=pm"
                listed = list(self.pods)
                self.after_listing()
                return 200, {"items": listed}
            folder, _, name = url.path.partition(f"/api/v1/namespaces/{NAMESPACE}/secrets")
            assert folder == ""
            return self._secret(method, name.removeprefix("/"), body)

    def _secret(self, method: str, name: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return (200, self.secrets[name]) if name in self.secrets else (404, {})
        self.writes_left -= 1
        if self.writes_left < 0:
            return 500, {}
        name = name or body["metadata"]["name"]
        found = self.secrets.get(name)
        version = found["metadata"]["resourceVersion"] if found else None
        if (method == "POST") is not (found is None) or body["metadata"].get("resourceVersion") != version:
            return 409, {}
        if found and body["type"] != found["type"]:
            return 422, {}
        written = {**body, "metadata": {**body["metadata"], "resourceVersion": str(int(version or 0) + 1)}}
        self.secrets[name] = written
        self.after_write()
        return 200, written


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def token_folder(tmp_path: Path) -> Path:
    """As the kubelet mounts it."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text(f"{TOKEN}\n", encoding="ascii")
    return folder


@pytest.fixture
def api_url(cluster: Cluster, token_folder: Path, tmp_path: Path) -> Iterator[str]:
    """Where the server listens."""
    now = datetime.now(UTC).replace(microsecond=0)
    authority = issue_ca("kubernetes", now)
    leaf = issue_leaf(authority, "spiffe://kubernetes/apiserver", ["127.0.0.1"], now)
    (token_folder / "ca.crt").write_bytes(authority.certificate_pem)
    both = tmp_path / "apiserver.pem"
    both.write_bytes(leaf.certificate_pem + leaf.key_pem)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
            status, answer = cluster.answer(self.command, self.path, body)
            if self.headers["Authorization"] != f"Bearer {cluster.token}":
                status, answer = 401, {}
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PUT = do_GET  # noqa: N815 - how the standard library finds them

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string(int((timestamp or time.time()) + cluster.ahead_s))

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    serving.join()


@pytest.fixture
def api(api_url: str, token_folder: Path) -> Iterator[ApiServer]:
    with ApiServer(NAMESPACE, LABELS, token_folder=token_folder, url=api_url) as asked:
        yield asked
