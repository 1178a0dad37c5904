"""Evictions, as `kubectl drain` asks for them."""

from tests.cluster.support.kubectl import Object, kubectl


def evict(pod: Object) -> bool:
    """Asks for the eviction of a pod; False when the disruption budget does not allow it now."""
    about = {"name": pod["metadata"]["name"], "namespace": pod["metadata"]["namespace"]}
    path = f"/api/v1/namespaces/{about['namespace']}/pods/{about['name']}/eviction"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}
    try:
        kubectl("create", "--raw", path, "-f", "-", given=eviction)
    except AssertionError as refusal:
        if "disruption budget" not in str(refusal):
            raise
        return False
    return True
