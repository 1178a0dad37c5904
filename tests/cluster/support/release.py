"""The release that the tests look at: it is there already, ready, with the values of tests/cluster/values.yaml."""

import base64
import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.support.kubectl import Object, kubectl, objects
from tests.deploy.helm import chart
from tests.e2e.support.waiting import eventually

_READY_WITHIN = "10m"
_GONE_WITHIN_S = 120


def role(pod: Object) -> str:
    """The part that a pod of a release belongs to."""
    name: str = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    return name


def leaving(pod: Object) -> bool:
    """Whether a pod was asked to go."""
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: Object) -> bool:
    """Whether the kubelet found a pod ready."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in pod["status"].get("conditions", ()))


def containers(pod: Object) -> list[Object]:
    """The status of each container of a pod that stays as long as the pod: sidecars too, but no preparations."""
    sidecars = {each["name"] for each in pod["spec"].get("initContainers", ()) if "restartPolicy" in each}
    status = pod["status"]
    early = [each for each in status.get("initContainerStatuses", ()) if each["name"] in sidecars]
    return [*early, *status.get("containerStatuses", ())]


@dataclass(frozen=True)
class Release:
    """One installation of the chart."""

    namespace: str
    name: str
    image: str
    """Papermesh's image, as the cluster's nodes know it."""

    @property
    def url(self) -> str:
        """The adapter's Service, for a pod."""
        return f"http://{self.name}-adapter.{self.namespace}.svc:9000"

    @property
    def audience(self) -> str:
        """What signatures call it."""
        return f"{self.namespace}-{self.name}"

    def image_values(self) -> Mapping[str, str]:
        """Its image, as the chart's values name it."""
        repository, _, tag = self.image.rpartition(":")
        return {"repository": repository, "tag": tag}

    def labels(self, part: str) -> dict[str, str]:
        """What the chart selects a part's pods by."""
        return {
            "app.kubernetes.io/name": "papermesh",
            "app.kubernetes.io/instance": self.name,
            "app.kubernetes.io/component": part,
        }

    def pods(self, part: str = "") -> list[Object]:
        """The pods of a part, or of all, without those that are going."""
        staying = [pod for pod in self._all_pods() if not leaving(pod)]
        return [pod for pod in staying if not part or role(pod) == part]

    def renew(self) -> None:
        """Replaces every pod, and with it the kubelet's memory of its containers' deaths."""
        workloads = kubectl("-n", self.namespace, "get", "deployments,statefulsets", "-o", "name").split()
        kubectl("-n", self.namespace, "rollout", "restart", *workloads)
        for workload in workloads:
            kubectl("-n", self.namespace, "rollout", "status", workload)
        self.settle()

    def all_ready(self) -> bool:
        """Whether every pod is ready."""
        return all(is_ready(pod) for pod in self.pods())

    def restarts(self) -> dict[str, int]:
        """How often the containers of each pod have begun anew."""
        return {pod["metadata"]["name"]: sum(each["restartCount"] for each in containers(pod)) for pod in self.pods()}

    def scale(self, part: str, count: int) -> None:
        """Asks for so many pods of a part, as a person does, and does not wait."""
        kubectl("-n", self.namespace, "scale", f"deployment/{self.name}-{part}", f"--replicas={count}")

    def has(self, part: str, count: int) -> bool:
        """Whether a part has so many pods, all of them ready."""
        pods = self.pods(part)
        return len(pods) == count and all(map(is_ready, pods))

    def secret(self, name: str, key: str) -> bytes:
        """One key of one of the release's Secrets."""
        found = json.loads(kubectl("-n", self.namespace, "get", "secret", f"{self.name}-{name}", "-o", "json"))
        return base64.b64decode(found["data"][key])

    def hooks(self, kind: str) -> list[Object]:
        """What the chart makes only for as long as a hook runs."""
        manifests = yaml.safe_load_all(self._helm("get", "hooks", self.name))
        return [each for each in manifests if each and each["kind"] == kind]

    def values(self) -> Mapping[str, Any]:
        """What it was installed with."""
        found: Mapping[str, Any] = json.loads(self._helm("get", "values", self.name, "-o", "json"))
        return found

    def upgrade(self, values: Mapping[str, Any], folder: Path = chart.CHART) -> float:
        """Adds values to those that it has, or installs it with them; the seconds until all is ready.

        Args:
            values: The values.
            folder: The chart.
        """
        began = time.monotonic()
        arguments = ["--install", "--reset-then-reuse-values", "--values=-", "--wait", f"--timeout={_READY_WITHIN}"]
        self._helm("upgrade", self.name, str(folder), *arguments, given=json.dumps(values))
        return time.monotonic() - began

    def install(self, values: Mapping[str, Any]) -> None:
        """Installs it, and does not wait until anything is ready."""
        self._helm("install", self.name, str(chart.CHART), "--values=-", given=json.dumps(values))

    def chart_version(self) -> str:
        """The version of the chart that it was installed or upgraded with last."""
        (found,) = json.loads(self._helm("list", "--filter", f"^{self.name}$", "-o", "json"))
        return str(found["chart"]).removeprefix("papermesh-")

    def rollback(self) -> None:
        """Goes back to what was before the last upgrade."""
        self._helm("rollback", self.name, "--wait", f"--timeout={_READY_WITHIN}")

    def settle(self) -> None:
        """Waits until the pods that were asked to go are gone."""
        eventually(lambda: not any(leaving(pod) for pod in self._all_pods()), _GONE_WITHIN_S, "the end of old pods")

    def uninstall(self) -> None:
        """Removes it, and waits until nothing of it runs."""
        self._helm("uninstall", self.name, "--wait", "--cascade=foreground")

    def test(self) -> None:
        """`helm test`: a signed call on a real PDF."""
        self._helm("test", self.name)

    def _all_pods(self) -> list[Object]:
        return objects("pods", "-n", self.namespace, "-l", f"app.kubernetes.io/instance={self.name}")

    def _helm(self, *arguments: str, given: str = "") -> str:
        command = [chart.helm(), *arguments, "--namespace", self.namespace]
        ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=900)
        assert ended.returncode == 0, f"helm {' '.join(arguments)}: {ended.stderr}"
        return ended.stdout
