"""What the chart tells a part, the part understands."""

import os
from pathlib import Path
from typing import Any

import pytest

from deploy.kubernetes.certificates import CertificateSettings
from deploy.kubernetes.first_call import FirstCallSettings
from deploy.kubernetes.keys import KeySettings
from deploy.local.parts import _GRPC_EXPERIMENTS
from mcp_adapter.settings import AdapterSettings
from services.base import GRPC_ENVIRONMENT
from services.base.settings import TLS_FILES, Settings
from services.dispatch.settings import DispatchSettings
from services.pdf.settings import PdfSettings
from tests.deploy.helm.chart import VALUES, Object, environment, render

PARTS: dict[str, tuple[str, str, type[Settings]]] = {
    "adapter": ("Deployment", "adapter", AdapterSettings),
    "dispatch": ("Deployment", "dispatch", DispatchSettings),
    "pdf": ("Deployment", "pdf", PdfSettings),
    "certificates": ("Job", "setup", CertificateSettings),
    "keys": ("Job", "setup", KeySettings),
    "test": ("Pod", "test", FirstCallSettings),
}


def container(name: str, part: str) -> Object | None:
    """A part's container; None where these values have none."""
    kind, owner, _ = PARTS[part]
    found = render(name).of(kind).get(owner)
    if found is None:
        return None
    spec = found["spec"] if kind == "Pod" else found["spec"]["template"]["spec"]
    return next((each for each in spec["containers"] if each["name"] == part), None)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", VALUES)
def test_every_setting_is_one_that_the_part_has(name: str, part: str) -> None:
    if found := container(name, part):
        told = {each.removeprefix("PAPERMESH_").lower() for each in environment(found) if each.startswith("PAPERMESH_")}
        assert told <= PARTS[part][2].model_fields.keys()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", VALUES)
def test_every_setting_without_a_default_is_told(name: str, part: str) -> None:
    if found := container(name, part):
        told = {each.removeprefix("PAPERMESH_").lower() for each in environment(found)}
        needed = {field for field, info in PARTS[part][2].model_fields.items() if info.is_required()}
        assert needed <= told


@pytest.fixture
def tls_dir(tmp_path: Path) -> Path:
    """In a pod they are mounted."""
    for name in TLS_FILES:
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", VALUES)
def test_every_value_is_one_that_the_part_takes(
    name: str, part: str, tls_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if found := container(name, part):
        for variable, value in environment(found).items():
            monkeypatch.setenv(variable, _as_the_kubelet_fills_it(value))
        if "PAPERMESH_TLS_DIR" in environment(found):
            monkeypatch.setenv("PAPERMESH_TLS_DIR", str(tls_dir))
        monkeypatch.delenv("PAPERMESH_DESCRIPTORS", raising=False)  # files, which are mounted in a pod
        for variable in ("PAPERMESH_REDIS_STATE_URL", "PAPERMESH_REDIS_CACHE_URL"):  # as is the CA that they name
            if variable in environment(found):
                monkeypatch.setenv(variable, os.environ[variable].partition("?")[0])
        PARTS[part][2].read()


def _as_the_kubelet_fills_it(value: Any) -> str:
    if isinstance(value, dict):
        return "pm-dispatch-5b8f7c9d4-x2x7k" if "fieldRef" in value else "s3cret"
    return str(value).replace("$(REDIS_STATE_PASSWORD)", "s3cret").replace("$(REDIS_CACHE_PASSWORD)", "s3cret")


@pytest.mark.parametrize("part", ["adapter", "dispatch", "pdf"])
def test_grpc_runs_without_its_event_engine_as_on_a_laptop(part: str) -> None:
    found = container("default", part)
    assert found
    assert environment(found)["GRPC_EXPERIMENTS"] == _GRPC_EXPERIMENTS


@pytest.mark.parametrize("part", ["adapter", "dispatch", "pdf"])
def test_grpc_speaks_tls_1_3_alone_as_on_a_laptop(part: str) -> None:
    found = container("default", part)
    assert found
    assert GRPC_ENVIRONMENT.items() <= environment(found).items()


def test_every_password_is_filled_in_by_the_kubelet() -> None:
    """No rendering holds one, and a variable must stand before the one that uses it."""
    found = container("default", "dispatch")
    assert found
    names = [each["name"] for each in found["env"]]
    for role in ("STATE", "CACHE"):
        url = environment(found)[f"PAPERMESH_REDIS_{role}_URL"]
        assert f":$(REDIS_{role}_PASSWORD)@" in url
        assert names.index(f"REDIS_{role}_PASSWORD") < names.index(f"PAPERMESH_REDIS_{role}_URL")


def test_the_adapter_answers_to_its_services_names_and_to_those_that_are_listed() -> None:
    found = container("production", "adapter")
    assert found
    assert environment(found)["PAPERMESH_HTTP_HOSTS"].split(",") == [
        *("pm-adapter", "pm-adapter.demo", "pm-adapter.demo.svc", "pm-adapter.demo.svc.cluster.local"),
        "papermesh.corp.example",
    ]


def test_the_adapter_does_not_answer_to_names_of_an_ingress_that_is_off() -> None:
    found = environment(
        render(adapter__ingress__hosts=["papermesh.example"]).pod("Deployment", "adapter")["containers"][0]
    )
    assert "papermesh.example" not in found["PAPERMESH_HTTP_HOSTS"]


def test_an_external_redis_is_reached_over_tls_with_its_ca() -> None:
    found = container("external-everything", "dispatch")
    assert found
    assert environment(found)["PAPERMESH_REDIS_STATE_URL"] == (
        "rediss://papermesh:$(REDIS_STATE_PASSWORD)@state.redis.corp.example:6380/0"
        "?ssl_ca_certs=/etc/papermesh/redis-ca/ca.crt"
    )
