"""Pods of the tests' own: of Papermesh's image, and as restricted as the chart's."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.cluster.support.kubectl import Object, kubectl

WAITS = ["python", "-c", "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit()); signal.pause()"]
"""What a pod does in which commands are run; the first process of a container must ask for its SIGTERM."""

LISTENS = ["python", "-m", "http.server", "8080"]
"""What a pod does that others try to reach."""


def restricted(
    name: str, image: str, command: Sequence[str] = WAITS, *, labels: Mapping[str, str] | None = None, port: int = 0
) -> Object:
    """A pod that Pod Security "restricted" lets in.

    Args:
        name: Its name.
        image: Papermesh's image.
        command: What it runs.
        labels: Its labels.
        port: Where it listens; ready when it does. 0 for nowhere.
    """
    container: Object = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": list(command),
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - of the pod
    }
    if port:
        container["ports"] = [{"containerPort": port}]
        container["readinessProbe"] = {"tcpSocket": {"port": port}, "periodSeconds": 1}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
        },
    }


@contextmanager
def running(namespace: str, *pods: Object) -> Iterator[None]:
    """Has pods run for as long as the block lasts; all are ready when it begins."""
    names = [pod["metadata"]["name"] for pod in pods]
    kubectl("-n", namespace, "apply", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(pods)})
    try:
        kubectl("-n", namespace, "wait", "--for=condition=Ready", "--timeout=120s", *(f"pod/{name}" for name in names))
        yield
    finally:
        kubectl("-n", namespace, "delete", "pod", "--ignore-not-found", *names)


@contextmanager
def own_namespace(name: str) -> Iterator[None]:
    """A namespace for as long as the block lasts, which lets in restricted pods alone."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl(
        "create",
        "-f",
        "-",
        given={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}},
    )
    try:
        yield
    finally:
        kubectl("delete", "namespace", name, "--wait=false")
