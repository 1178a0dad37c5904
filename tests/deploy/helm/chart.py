"""The chart, as Helm renders it."""

import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parents[3] / "deploy" / "helm" / "papermesh"
VALUES = tuple(sorted(path.stem for path in (CHART / "ci").glob("*.yaml")))
"""The names of the values that CI renders."""

RELEASE, NAMESPACE = "pm", "demo"
KUBERNETES = "1.29.0"
"""The oldest version that the chart takes."""

Object = dict[str, Any]

_LIMIT_S = 60


def helm() -> str:
    """The one that `make test-all` builds, or the one on the PATH."""
    own = Path(sys.prefix, "go", "bin", "helm")
    found = str(own) if own.exists() else shutil.which("helm")
    assert found, "There is no helm; make test-all builds it."
    return found


def run(*arguments: str, kubernetes: str = KUBERNETES) -> "subprocess.CompletedProcess[str]":
    """Runs Helm as for a cluster of this version."""
    command = [helm(), *arguments, "--kube-version", kubernetes]
    return subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)


@dataclass(frozen=True)
class Rendered:
    """All objects of one rendering."""

    objects: tuple[Object, ...]

    def of(self, kind: str) -> dict[str, Object]:
        """The objects of a kind, by their names without the release's."""
        return {
            each["metadata"]["name"].removeprefix(f"{RELEASE}-"): each for each in self.objects if each["kind"] == kind
        }

    def one(self, kind: str, name: str) -> Object:
        """One object."""
        return self.of(kind)[name]

    def pods(self) -> Iterator[tuple[str, Object]]:
        """The metadata and spec of every pod, templates and hooks included, by "Kind name"."""
        for each in self.objects:
            label = f"{each['kind']} {each['metadata']['name']}"
            if each["kind"] == "Pod":
                yield label, each
            elif each["kind"] in {"Deployment", "StatefulSet", "Job"}:
                yield label, each["spec"]["template"]

    def pod(self, kind: str, name: str) -> Object:
        """The spec of one pod template."""
        spec: Object = self.one(kind, name)["spec"]["template"]["spec"]
        return spec


def containers(spec: Object) -> list[Object]:
    """All containers of a pod, those of its start included."""
    return [*spec.get("initContainers", ()), *spec["containers"]]


def environment(container: Object) -> dict[str, Any]:
    """A container's variables; where one is filled in by the kubelet, how."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def template(*arguments: str, values: Object | None = None) -> "subprocess.CompletedProcess[str]":
    """`helm template`.

    Args:
        arguments: Of Helm.
        values: More values.
    """
    more = [f"--set-json={name}={json.dumps(value)}" for name, value in (values or {}).items()]
    return run("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *arguments, *more)


def render(name: str = "default", **values: Any) -> Rendered:
    """What one of CI's values, and `values` besides, make of the chart; keys are paths, with __ for a dot."""
    return _render(name, json.dumps({path.replace("__", "."): value for path, value in values.items()}))


def notes(folder: Path, **values: Any) -> str:
    """What Helm prints after an installation.

    It does so only where it reaches a cluster, so a copy of the chart has it in a ConfigMap.

    Args:
        folder: An empty one, for the copy.
        values: Paths of values, with __ for a dot.
    """
    copy = shutil.copytree(CHART, folder / "papermesh")
    (copy / "templates" / "NOTES.txt").rename(copy / "NOTES.txt")
    said = '{kind: ConfigMap, metadata: {name: notes}, data: {text: {{ tpl (.Files.Get "NOTES.txt") . | toJson }}}}'
    (copy / "templates" / "notes.yaml").write_text(said, encoding="utf-8")
    more = [f"--set-json={path.replace('__', '.')}={json.dumps(value)}" for path, value in values.items()]
    done = run("template", RELEASE, str(copy), "--namespace", NAMESPACE, "--show-only=templates/notes.yaml", *more)
    assert done.returncode == 0, done.stderr
    text: str = yaml.load(done.stdout, yaml.CSafeLoader)["data"]["text"]
    return text


def refusal(**values: Any) -> str:
    """The sentence with which Helm refuses these values."""
    done = template(values={path.replace("__", "."): value for path, value in values.items()})
    assert done.returncode != 0, "Helm took them."
    return done.stderr


@functools.lru_cache(maxsize=64)
def _render(name: str, values: str) -> Rendered:
    done = template("--values", str(CHART / "ci" / f"{name}.yaml"), values=json.loads(values))
    assert done.returncode == 0, done.stderr
    return Rendered(tuple(each for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each))
