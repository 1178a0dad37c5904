"""What `make image` asks of a builder; that the image works is for a cluster to show."""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DIGEST = f"sha256:{'ab' * 32}"
TOOLS = ("sh", "dirname", "printf", "git", "cat", "sed")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH with what the script itself needs, and no builder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return folder


def builder(programs: Path, name: str, *, works: bool = True) -> None:
    """A program that prints what it is asked, or cannot be used."""
    file = programs / name
    file.write_text(f'#!/bin/sh\n{"echo" if works else "false"} {name} "$@"\n', encoding="utf-8")
    file.chmod(0o755)


def builder_that_knows(programs: Path, name: str, digest: str) -> None:
    """A program that tells an image's digest, and prints whatever else it is asked."""
    file = programs / name
    file.write_text(
        f'#!/bin/sh\ncase "$*" in\n*"inspect "*--format*) printf "{digest}\\n" ;;\n*) echo {name} "$@" ;;\nesac\n',
        encoding="utf-8",
    )
    file.chmod(0o755)


def build(programs: Path, settings: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": str(programs), "SOURCE_DATE_EPOCH": "1700000000", **(settings or {})}
    return subprocess.run(
        [ROOT / "deploy/image/build.sh"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_without_a_builder_one_sentence_says_what_to_install(programs: Path) -> None:
    ended = build(programs)
    assert ended.returncode == 1
    assert ended.stderr.startswith("An image is built with docker, podman or buildah, and none of them works here.")
    assert ended.stderr.count("\n") == 1


def test_a_docker_without_its_daemon_is_passed_over(programs: Path) -> None:
    builder(programs, "docker", works=False)
    builder(programs, "buildah")
    asked = build(programs).stdout
    assert asked.startswith("buildah build --layers --timestamp 1700000000 --file deploy/image/Dockerfile ")


@pytest.mark.parametrize(
    ("name", "dated"), [("buildah", "--timestamp 1700000000"), ("podman", "--timestamp 1700000000")]
)
def test_a_builder_is_told_the_date_of_the_files(programs: Path, name: str, dated: str) -> None:
    builder(programs, name)
    assert dated in build(programs).stdout


@pytest.mark.parametrize(
    ("driver", "output"),
    [("docker-container", "type=docker,rewrite-timestamp=true"), ("docker", "type=docker")],
)
def test_docker_is_told_to_date_the_files_only_where_its_builder_can(programs: Path, driver: str, output: str) -> None:
    file = programs / "docker"
    file.write_text(
        "#!/bin/sh\n"
        f'if [ "$*" = "buildx inspect" ]; then printf "Name:   some\\nDriver: {driver}\\n\\nNodes:\\n"\n'
        'else echo docker "$@"; fi\n',
        encoding="utf-8",
    )
    file.chmod(0o755)
    assert build(programs).stdout.startswith(f"docker buildx build --provenance=false --output {output} --file deploy/")


def test_a_builder_that_was_named_and_does_not_work_is_told(programs: Path) -> None:
    builder(programs, "docker", works=False)
    builder(programs, "buildah")
    ended = build(programs, {"BUILDER": "docker"})
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("docker does not work here: ")


def test_name_base_and_options_are_the_callers(programs: Path) -> None:
    builder(programs, "podman")
    asked = build(programs, {"IMAGE": "corp/pm:1", "BASE_IMAGE": "corp/python:3", "BUILD_OPTIONS": "--pull --no-cache"})
    assert "--tag corp/pm:1 --build-arg BASE_IMAGE=corp/python:3 --pull --no-cache ." in asked.stdout
    assert asked.stdout.endswith("Built corp/pm:1.\n")


@pytest.mark.parametrize("name", ["docker", "podman", "buildah"])
def test_what_is_built_on_is_a_digest_and_the_image_says_which(programs: Path, name: str) -> None:
    builder_that_knows(programs, name, DIGEST)
    asked = build(programs, {"BASE_IMAGE": "registry.example:5000/corp/python:3.11"}).stdout
    assert "--build-arg BASE_IMAGE=registry.example:5000/corp/python@sha256:ab" in asked
    assert "--label org.opencontainers.image.base.name=registry.example:5000/corp/python:3.11 " in asked
    assert f"--label org.opencontainers.image.base.digest={DIGEST} " in asked
    assert asked.endswith(f"Built papermesh:dev on registry.example:5000/corp/python@{DIGEST}.\n")


def test_the_base_of_the_dockerfile_is_pinned_too(programs: Path) -> None:
    builder_that_knows(programs, "buildah", DIGEST)
    assert f"--build-arg BASE_IMAGE=docker.io/library/python@{DIGEST} ." in build(programs).stdout


def test_a_base_that_is_named_by_its_digest_is_taken_as_it_is(programs: Path) -> None:
    builder(programs, "buildah")
    asked = build(programs, {"BASE_IMAGE": f"corp/python:3.11@{DIGEST}"}).stdout
    assert f"--build-arg BASE_IMAGE=corp/python@{DIGEST} ." in asked
    assert f"--label org.opencontainers.image.base.digest={DIGEST} " in asked


def test_a_base_whose_digest_nobody_knows_is_built_on_by_its_name_and_that_is_said(programs: Path) -> None:
    builder(programs, "docker")
    ended = build(programs, {"BASE_IMAGE": "mine:1"})
    assert (ended.returncode, ended.stderr.count("\n")) == (0, 1)
    assert ended.stderr.startswith("The digest of mine:1 cannot be told, so the image will not say what it stands on.")
    assert "--build-arg BASE_IMAGE=mine:1 ." in ended.stdout
    assert "org.opencontainers.image.base" not in ended.stdout


@pytest.mark.parametrize(("options", "brought"), [("", False), ("--pull", True), ("--no-cache --pull=newer", True)])
def test_a_newer_base_is_looked_for_when_that_is_asked(programs: Path, options: str, *, brought: bool) -> None:
    builder_that_knows(programs, "podman", DIGEST)
    (programs / "podman").rename(programs / "told")
    (programs / "podman").write_text(f'#!/bin/sh\necho "$@" >>{programs}/asked\nexec told "$@"\n', encoding="utf-8")
    (programs / "podman").chmod(0o755)
    build(programs, {"BASE_IMAGE": "corp/python:3", "BUILD_OPTIONS": options})
    assert ("pull --quiet corp/python:3" in (programs / "asked").read_text(encoding="utf-8").splitlines()) == brought


def test_a_builder_that_nobody_knows_is_refused(programs: Path) -> None:
    ended = build(programs, {"BUILDER": "kaniko"})
    assert (ended.returncode, ended.stderr) == (1, "Not a builder: kaniko. There are docker, podman and buildah.\n")


def test_everything_that_the_wheel_holds_is_let_into_the_build() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.split("/")[0] for name in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    assert packages <= {name.split("/")[0] for name in let_in}
    assert {project["project"]["readme"], *project["project"]["license-files"]} <= let_in


def test_the_image_runs_as_a_number_that_is_not_root() -> None:
    lines = (ROOT / "deploy/image/Dockerfile").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    assert next(line for line in lines if line.startswith(("ARG", "FROM"))).startswith("ARG BASE_IMAGE=")
    assert "PAPERMESH" not in os.linesep.join(line for line in lines if line.startswith("ENV"))
