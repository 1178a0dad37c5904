"""The commands that `make kind` gives; that they do what they say is for a machine with Docker to show."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = ("sh", "dirname", "printf", "git", "cat", "sed", "grep", "tail")
PROGRAMS = ("docker", "kind", "kubectl", "helm")

# What the programs answer where the script reads it; they note down how they were called.
ANSWERS = """
case "$name $*" in
"docker buildx inspect") echo "Driver: docker" ;;
"docker buildx imagetools"*) echo sha256:feed ;;
"docker image inspect"*) echo sha256:0123456789abcdef0123456789abcdef ;;
"kind get clusters") cat "$CLUSTERS" ;;
"kubectl get namespace"*) exit "$NAMESPACE_IS_MISSING" ;;
esac
"""


class Desk:
    """A copy of the scripts, and a PATH with nothing on it but what they need."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "papermesh"
        for script in ("image/build.sh", "image/Dockerfile", "kubernetes/kind.sh", "kubernetes/lib.sh"):
            copy = self.checkout / "deploy" / script
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "deploy" / script, copy)
        self.path = folder / "bin"
        self.path.mkdir()
        for tool in TOOLS:
            (self.path / tool).symlink_to(str(shutil.which(tool)))
        self._called = folder / "called"
        self._clusters = folder / "clusters"
        self._clusters.write_text("", encoding="utf-8")
        for name in PROGRAMS:
            self.program(name)

    def program(self, name: str, body: str = ANSWERS) -> None:
        file = self.path / name
        noted = f'name={name}\nprintf "%s\\n" "$name $*" >>"$CALLED"\n'
        file.write_text(f"#!/bin/sh\n{noted}{body}", encoding="utf-8")
        file.chmod(0o755)

    def has_cluster(self, name: str) -> None:
        self._clusters.write_text(f"another\n{name}\n", encoding="utf-8")

    def run(self, *, namespace_is_there: bool = False) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": str(self.path),
            "SOURCE_DATE_EPOCH": "1700000000",
            "CALLED": str(self._called),
            "CLUSTERS": str(self._clusters),
            "NAMESPACE_IS_MISSING": str(int(not namespace_is_there)),
        }
        script = self.checkout / "deploy/kubernetes/kind.sh"
        return subprocess.run([script], env=environment, capture_output=True, text=True, check=False, timeout=60)

    @property
    def changes(self) -> list[str]:
        """The calls that do something, and not only look."""
        looks = (
            "docker info",
            "docker buildx version",
            "docker buildx inspect",
            "docker buildx imagetools",
            "docker image inspect",
            "kind get",
            "kubectl version",
        )
        called = self._called.read_text(encoding="utf-8").splitlines() if self._called.exists() else []
        return [call for call in called if not call.startswith(looks)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_from_nothing_it_makes_the_cluster_builds_loads_installs_and_tests(desk: Desk) -> None:
    ended = desk.run()
    assert (ended.returncode, ended.stderr) == (0, "")
    built = "docker buildx build --provenance=false --output type=docker --file deploy/image/Dockerfile"
    base = "org.opencontainers.image.base"
    pinned = (
        f"--label {base}.name=docker.io/library/python:3.11-slim-bookworm --label {base}.digest=sha256:feed"
        " --build-arg BASE_IMAGE=docker.io/library/python@sha256:feed"
    )
    closed = "pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted"
    installed = "helm upgrade --install papermesh deploy/helm/papermesh --namespace papermesh --wait --timeout 10m"
    assert desk.changes == [
        "kind create cluster --name papermesh --wait 2m",
        "kind export kubeconfig --name papermesh",
        f"{built} --tag papermesh:dev {pinned} .",
        "docker tag papermesh:dev papermesh:0123456789ab",
        "kind load docker-image papermesh:0123456789ab --name papermesh",
        "kubectl get namespace papermesh",
        "kubectl create namespace papermesh",
        f"kubectl label namespace papermesh {closed}",
        f"{installed} --set image.repository=papermesh,image.tag=0123456789ab",
        "helm test papermesh --namespace papermesh",
    ]


def test_run_again_it_keeps_the_cluster_and_the_namespace(desk: Desk) -> None:
    desk.has_cluster("papermesh")
    assert desk.run(namespace_is_there=True).returncode == 0
    assert not [call for call in desk.changes if " create " in call]
    assert desk.changes[-1] == "helm test papermesh --namespace papermesh"


@pytest.mark.parametrize("missing", PROGRAMS)
def test_what_is_missing_is_told_in_one_sentence_before_anything_is_made(desk: Desk, missing: str) -> None:
    (desk.path / missing).unlink()
    ended = desk.run()
    assert ended.returncode == 1
    assert ended.stderr.strip().startswith(f"{missing} is needed and not on the PATH. ")
    assert desk.changes == []


def test_a_docker_whose_daemon_is_off_is_told_before_anything_is_made(desk: Desk) -> None:
    desk.program("docker", "exit 1\n")
    ended = desk.run()
    assert (ended.returncode, ended.stderr.strip()) == (
        1,
        "Docker is here, but its daemon does not answer. Start it and run this again.",
    )
    assert desk.changes == []


def test_an_installation_that_fails_shows_why_and_ends_with_status_1(desk: Desk) -> None:
    desk.program("helm", 'case "$1" in upgrade) exit 1 ;; esac\n')
    desk.program("kubectl", ANSWERS + 'case "$*" in *"get events"*) echo "no such claim" ;; esac\n')
    ended = desk.run()
    assert ended.returncode == 1
    assert "no such claim" in ended.stderr
    assert ended.stderr.strip().endswith("It was not installed; see above.")
    assert not [call for call in desk.changes if call.startswith("helm test")]
