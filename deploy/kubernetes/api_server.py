"""Kubernetes' API server, asked as a pod asks it: with the token and the CA that the kubelet mounts."""

import base64
import binascii
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import httpx
from httpx_retries import RetryTransport

from deploy.kubernetes import patience
from deploy.kubernetes.bearer import Bearer, BearerError
from services.base.errors import OperatorError

TOKEN_FOLDER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts `token` and `ca.crt`."""

OPAQUE, TLS = "Opaque", "kubernetes.io/tls"
"""Types of a Secret."""

_TIMEOUT = httpx.Timeout(30, connect=5)
_SKEW = timedelta(minutes=5)
"""How far clocks may be apart: certificates begin as much before they are made, and signatures are as old at most."""

_INSTANCE = "app.kubernetes.io/instance"
"""The label that tells one release's objects from another's and from everybody else's."""


class ApiError(OperatorError):
    """The API server cannot be asked, or refuses; the text says what, and never holds what a Secret holds."""


class SecretError(ApiError):
    """A Secret that is there is not what it must be, and stays as it is; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret as it was read."""

    name: str
    data: Mapping[str, bytes] = field(repr=False)
    annotations: Mapping[str, str]
    manifest: Mapping[str, Any] = field(repr=False)
    """All of it, with the version that a replacement must name."""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod that runs."""

    component: str
    """Its label app.kubernetes.io/component: the workload that it is one of."""

    address: str


class ApiServer:
    """Secrets and pods of one namespace."""

    def __init__(
        self, namespace: str, labels: Mapping[str, str], *, token_folder: Path = TOKEN_FOLDER, url: str | None = None
    ) -> None:
        """Connects to nothing yet.

        Args:
            namespace: Whose Secrets and pods.
            labels: What a Secret that is made is labelled with.
            token_folder: The mounted service account.
            url: Where the API server is; where the kubelet says, in the environment, when left out.

        Raises:
            ApiError: when this is no pod with a service account.
        """
        try:
            token = Bearer(token_folder / "token")
            trusted = ssl.create_default_context(cafile=str(token_folder / "ca.crt"))
        except (OSError, BearerError) as error:
            raise ApiError(
                f"There is no service account here ({error}). This runs in a pod, with automountServiceAccountToken."
            ) from None
        self._labels = dict(labels)
        self._namespace = namespace
        self._http = httpx.Client(
            base_url=f"{url or _url()}/api/v1/namespaces/{namespace}",
            auth=token,
            timeout=_TIMEOUT,
            transport=RetryTransport(httpx.HTTPTransport(verify=trusted, trust_env=False)),
            trust_env=False,  # a proxy of the container's environment leads out of the cluster
        )

    def secret(self, name: str) -> Secret | None:
        """A Secret; None where there is none.

        Raises:
            ApiError: when it cannot be read.
        """
        answer = self._ask("GET", f"/secrets/{name}", f"read the Secret {name}", but=HTTPStatus.NOT_FOUND)
        return None if answer is None else _secret(answer)

    def put(
        self,
        name: str,
        data: Mapping[str, bytes],
        *,
        replaced: Secret | None = None,
        annotations: Mapping[str, str] | None = None,
        kind: str = OPAQUE,
    ) -> Secret:
        """Makes a Secret, or replaces what is in one.

        Args:
            name: Its name.
            data: All that will be in it.
            replaced: The one that is there, as it was read; None when there is none.
            annotations: Added to those that it has.
            kind: The type of a new one; one that is there keeps its own.

        Raises:
            ApiError: when it cannot be written, or somebody else wrote it since it was read.
            SecretError: when the one that is there is another's, or may not be changed.
        """
        if replaced is not None:
            self._check_own(replaced)
        encoded = {key: base64.b64encode(content).decode() for key, content in data.items()}
        if replaced is None:
            metadata = {"name": name, "labels": self._labels, "annotations": dict(annotations or {})}
            manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": encoded}
            answer = self._ask("POST", "/secrets", f"make the Secret {name}", manifest)
        else:
            old = replaced.manifest["metadata"]
            metadata = {**old, "annotations": {**replaced.annotations, **(annotations or {})}}
            manifest = {**replaced.manifest, "metadata": metadata, "data": encoded}
            answer = self._ask("PUT", f"/secrets/{name}", f"replace the Secret {name}", manifest)
        return _secret(answer or {})

    def pods(self, instance: str) -> tuple[Pod, ...]:
        """The pods of a release that run and are not about to end.

        Args:
            instance: The release, their label app.kubernetes.io/instance.

        Raises:
            ApiError: when they cannot be listed.
        """
        path = f"/pods?labelSelector=app.kubernetes.io/instance%3D{instance}"
        listed = self._ask("GET", path, "list the release's pods") or {}
        return tuple(
            Pod(labels["app.kubernetes.io/component"], pod["status"]["podIP"])
            for pod in listed.get("items", ())
            if (labels := pod["metadata"].get("labels", {})).get("app.kubernetes.io/component")
            and pod["status"].get("phase") == "Running"
            and pod["status"].get("podIP")
            and "deletionTimestamp" not in pod["metadata"]
        )

    def _check_own(self, secret: Secret) -> None:
        """A name is easily the same: release corp's CA is the Secret corp-ca, which may be a company's own."""
        labels = secret.manifest["metadata"].get("labels") or {}
        if labels.get(_INSTANCE) != self._labels.get(_INSTANCE):
            raise SecretError(
                f"The Secret {secret.name} is not this release's, since its label {_INSTANCE} is not the release's "
                "name. It stays as it is. Give the release another name, remove the Secret to have one made, or "
                "label it where it was made for this."
            )
        if secret.manifest.get("immutable"):
            raise SecretError(f"The Secret {secret.name} is marked immutable. Remove it to have one made.")

    def _ask(
        self, method: str, path: str, doing: str, body: object = None, but: HTTPStatus | None = None
    ) -> dict[str, Any] | None:
        """The answer; None for the status `but`."""
        try:
            again = patience.QUESTION if method == "GET" else patience.COMMAND
            answer = self._http.request(method, path, json=body, extensions={"retry": again})
            _check_clock(answer)
            if answer.status_code == but:
                return None
            if answer.is_success:
                found: dict[str, Any] = answer.json()
                return found
        except BearerError as error:
            raise ApiError(f"The API server could not be asked to {doing}: {error}") from None
        except (httpx.HTTPError, ValueError) as error:
            raise ApiError(f"The API server could not be asked to {doing}: {error or type(error).__name__}.") from None
        if answer.status_code == HTTPStatus.CONFLICT:
            raise ApiError(f"Another process was faster to {doing}. Run this again.")
        if answer.status_code == HTTPStatus.FORBIDDEN:
            raise ApiError(f"The Job's Role in {self._namespace} does not let it {doing}.")
        # Without the server's words: they may repeat what was sent.
        raise ApiError(f"The API server refuses to {doing}: {answer.status_code} {answer.reason_phrase}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


def _check_clock(answer: httpx.Response) -> None:
    """A node whose clock is years ahead would find the CA run out, and replace it and everything that it signed.

    Raises:
        ApiError: when this clock and the API server's are too far apart.
    """
    try:
        ahead = datetime.now(UTC) - parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError, TypeError):  # it need not say, or not of which zone
        return
    if abs(ahead) > _SKEW:
        way = "ahead of" if ahead > timedelta() else "behind"
        raise ApiError(
            f"This node's clock is {abs(ahead) // timedelta(minutes=1)} minutes {way} the API server's: certificates "
            "made here would be useless. Set the clocks and run this again."
        )


def _url() -> str:
    try:
        host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    except KeyError as error:
        raise ApiError(f"{error.args[0]} is not set. This runs in a pod.") from None
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _secret(manifest: Mapping[str, Any]) -> Secret:
    metadata = manifest["metadata"]
    try:
        data = {key: base64.b64decode(text, validate=True) for key, text in (manifest.get("data") or {}).items()}
    except binascii.Error:
        raise ApiError(f"The API server's answer about the Secret {metadata['name']} cannot be read.") from None
    return Secret(metadata["name"], data, metadata.get("annotations") or {}, manifest)
