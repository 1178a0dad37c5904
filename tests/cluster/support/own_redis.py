"""Two Redis of a company's own, over TLS, with a user and a password, in a namespace of theirs."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.support.kubectl import Object, kubectl
from tests.cluster.support.pods import own_namespace, restricted, running
from trust import certificates

IMAGE = "docker.io/library/redis:7.4"
PORT = 6380
ROLES = {"state": "noeviction", "cache": "allkeys-lru"}

_USER, _PASSWORD = "papermesh", "correct-horse-battery-staple"
_CONFIGURATION = f"""
port 0
tls-port {PORT}
tls-cert-file /own/tls.crt
tls-key-file /own/tls.key
tls-ca-cert-file /own/ca.crt
tls-auth-clients no
dir /tmp
maxmemory 64mb
user default off
user {_USER} on >{_PASSWORD} ~* &* +@all
"""


@dataclass(frozen=True)
class OwnRedis:
    """They are there, as `state` and `cache`."""

    namespace: str
    ca: bytes

    def values(self) -> Mapping[str, Any]:
        """What the chart is told about them; the Secrets that it names are `secrets`."""
        addresses = {
            role: {"host": f"{role}.{self.namespace}.svc", "port": PORT, "username": _USER, "database": 0}
            for role in ROLES
        }
        selector = {"matchLabels": {"kubernetes.io/metadata.name": self.namespace}}
        return {
            "redis": {
                "included": False,
                "external": {**addresses, "tls": {"enabled": True, "caSecret": "corp-redis-ca"}},
            },
            "existingSecrets": {"redisState": "corp-redis", "redisCache": "corp-redis"},
            "networkPolicy": {"redis": [{"namespaceSelector": selector}]},
        }

    def publish_secrets(self, namespace: str) -> None:
        """Makes the Secrets that the values name in the release's namespace."""
        made = [_secret("corp-redis", {"password": _PASSWORD.encode()}), _secret("corp-redis-ca", {"ca.crt": self.ca})]
        kubectl("-n", namespace, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": made})

    @contextmanager
    def without(self, role: str) -> Iterator[None]:
        """One of them is away for as long as the block lasts, and then back, empty."""
        kubectl("-n", self.namespace, "delete", "pod", role)
        try:
            yield
        finally:
            kubectl("-n", self.namespace, "apply", "-f", "-", given=_pod(role))
            kubectl("-n", self.namespace, "wait", "--for=condition=Ready", "--timeout=120s", f"pod/{role}")


@contextmanager
def own_redis(namespace: str, scratch: Path) -> Iterator[OwnRedis]:
    """Both, for as long as the block lasts.

    Args:
        namespace: One that is made for them.
        scratch: An empty folder for their certificate.
    """
    names = tuple(f"{role}.{namespace}.svc" for role in ROLES)
    certificates.ensure(scratch, namespace, ("envoy",), envoy_names=names)  # the one workload that has names of DNS
    files = {name: (scratch / "envoy" / name).read_bytes() for name in ("tls.crt", "tls.key", "ca.crt")}
    configurations = {
        f"{role}.conf": f"{_CONFIGURATION}maxmemory-policy {policy}\n".encode() for role, policy in ROLES.items()
    }
    with own_namespace(namespace):
        items = [_secret("own", {**files, **configurations}), *map(_service, ROLES)]
        kubectl("-n", namespace, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": items})
        with running(namespace, *map(_pod, ROLES)):
            yield OwnRedis(namespace, files["ca.crt"])


def _secret(name: str, content: Mapping[str, bytes]) -> Object:
    data = {key: base64.b64encode(value).decode() for key, value in content.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def _service(role: str) -> Object:
    spec = {"selector": {"role": role}, "ports": [{"port": PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": role}, "spec": spec}


def _pod(role: str) -> Object:
    pod = restricted(role, IMAGE, ["redis-server", f"/own/{role}.conf"], labels={"role": role}, port=PORT)
    pod["spec"]["volumes"].append({"name": "own", "secret": {"secretName": "own", "defaultMode": 0o440}})
    mount = {"name": "own", "mountPath": "/own", "readOnly": True}
    pod["spec"]["containers"][0]["volumeMounts"].append(mount)
    return pod
