"""Callers who sign as the operator, from a pod that has its certificate and its key."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.support.pods import restricted
from tests.cluster.support.release import Release
from tests.cluster.support.talking import Talker, talking

REPLAYED = "UNAUTHENTICATED: This call was made before: its nonce has been used. Sign each call with a new one."

_SCRIPT = Path(__file__).with_name("signers_in_a_pod.py")
_BEGINS_WITHIN_S = 120.0
_ENDS_WITHIN_S = 240.0


@dataclass
class Signers:
    """They, and what became of their calls, which is known when the block has ended."""

    talker: Talker
    accepted: int = 0
    """How many were accepted."""

    again: dict[str, int] = field(default_factory=dict)
    """How each of these ended when it was sent again, twice: its code and words, or OK."""

    def send_again(self) -> None:
        """Has them make no more new calls, and send again from now on what was accepted."""
        self.talker.stop()


@contextmanager
def signers(release: Release) -> Iterator[Signers]:
    """Has four callers sign from before the block begins until `send_again`, whose end the block waits for."""
    pod = restricted("signers", release.image, labels={"test-role": "edge-client"})
    secrets = {"tls": f"{release.name}-tls-operator", "key": f"{release.name}-operator-key"}
    for name, secret in secrets.items():
        pod["spec"]["volumes"].append({"name": name, "secret": {"secretName": secret, "defaultMode": 0o440}})
        mount = {"name": name, "mountPath": f"/{name}", "readOnly": True}
        pod["spec"]["containers"][0]["volumeMounts"].append(mount)
    edge = f"{release.name}-envoy.{release.namespace}.svc:8443"
    with talking(release.namespace, pod, _SCRIPT, edge, release.audience) as talker:
        talker.line(_BEGINS_WITHIN_S)
        found = Signers(talker)
        yield found
        found.accepted = talker.line(_ENDS_WITHIN_S)["accepted"]
        found.again = talker.line(_ENDS_WITHIN_S)["again"]
