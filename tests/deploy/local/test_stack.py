import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from deploy.local.folders import Folders
from deploy.local.hold import HeldError
from deploy.local.part import PartError
from deploy.local.parts import Plan
from deploy.local.ports import Ports
from deploy.local.services import SERVICES, Service
from deploy.local.stack import Stack
from deploy.local.up import renew_certificates
from envoy.__main__ import EXAMPLES
from envoy.topology import load
from services.base import certificates

TABLES = Service("tables", "acme.tables", 9103, ("acme.tables.v1.TablesService",), descriptors=(Path("acme.binpb"),))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "var", Ports.free())
    stack.prepare()
    yield stack
    stack.stop()


def test_everything_that_the_parts_need_is_written(stack: Stack) -> None:
    root = stack.folders.root
    for workload in ("adapter", "operator", "envoy", "dispatch", "pdf"):
        certificate = x509.load_pem_x509_certificate((stack.tls_dir(workload) / "tls.crt").read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        uris = names.get_values_for_type(x509.UniformResourceIdentifier)
        assert uris == [f"spiffe://papermesh/ns/default/sa/{workload}"]
    assert json.loads(stack.key_file("operator").read_text())["client"] == "operator"
    assert (root / "secrets" / "clients.json").exists()
    assert (root / "redis-state" / "redis.conf").exists()


def test_envoy_is_configured_for_the_deployment_s_own_ports(stack: Stack) -> None:
    bootstrap = yaml.safe_load((stack.folders.envoy / "envoy.yaml").read_text())
    listeners = bootstrap["static_resources"]["listeners"]
    addresses = [listener["address"]["socket_address"] for listener in listeners]
    assert addresses == [
        {"address": "127.0.0.1", "port_value": stack.ports.edge},
        {"address": "127.0.0.1", "port_value": stack.ports.mesh},
    ]


def test_parts_are_started_in_the_order_in_which_they_need_each_other(stack: Stack) -> None:
    assert list(stack.parts) == ["redis-state", "dispatch", "pdf", "envoy", "adapter"]


def test_certificates_and_keys_are_kept_from_one_run_to_the_next(stack: Stack, tmp_path: Path) -> None:
    files = [stack.key_file("adapter"), stack.tls_dir("pdf") / "tls.crt", stack.tls_dir("adapter") / "ca.crt"]
    before = [file.read_bytes() for file in files]
    stack.stop()

    again = Stack(tmp_path / "var", Ports.free())
    again.prepare()
    again.stop()

    assert [file.read_bytes() for file in files] == before


def test_a_folder_has_one_supervisor(stack: Stack) -> None:
    other = Stack(stack.folders.root, Ports.free())

    with pytest.raises(HeldError, match="runs already"):
        other.start()


def test_when_a_part_cannot_start_it_is_named_and_everything_else_is_stopped(tmp_path: Path) -> None:
    broken = replace(SERVICES[0], command=(sys.executable, "-c", "raise SystemExit('there are no fonts')"))
    stack = Stack(tmp_path / "var", Ports.free(), (broken,))

    with pytest.raises(PartError, match=r"pdf ended with status 1 before it was ready[\s\S]*there are no fonts"):
        stack.start()

    assert not any(part.running for part in stack.parts.values())
    assert [file.name for file in stack.folders.run.iterdir()] == ["supervisor.lock"]
    stack.prepare()
    stack.stop()


def test_two_deployments_run_side_by_side(stack: Stack) -> None:
    other = Stack(stack.folders.root / "other", Ports.free())
    other.prepare()
    other.stop()


def test_one_entry_in_the_list_of_services_is_all_that_dispatch_envoy_and_certificates_need(tmp_path: Path) -> None:
    plan = Plan(Folders(tmp_path), Ports(services={"tables": 21_103}), (*SERVICES, TABLES))

    assert "tables" in plan.workloads
    (upstream,) = (service for service in plan.topology().services if service.workload == "tables")
    assert upstream.serves == ("acme.tables.v1.TablesService",)
    assert [address.port for address in upstream.endpoints] == [21_103]
    settings = plan.dispatch().environment
    assert settings["PAPERMESH_SERVICES"] == "papermesh.pdf.v1.PdfService,acme.tables.v1.TablesService"
    assert settings["PAPERMESH_DESCRIPTORS"] == str(Path("acme.binpb").resolve())
    own = plan.service(TABLES)
    assert own.arguments[1:] == ("-m", "acme.tables")
    assert own.environment["PAPERMESH_TABLES_PORT"] == "21103"
    assert own.environment["PAPERMESH_TLS_DIR"] == str(tmp_path / "certs" / "tables")


def test_envoys_example_of_a_laptop_is_what_runs_when_nothing_is_moved() -> None:
    assert load(EXAMPLES["laptop"]) == Plan(Folders(Path("var")), Ports()).topology()


def make_old(stack: Stack, *names: str) -> None:
    """Puts leaves in place that were issued 80 days ago."""
    for name in names:
        shutil.rmtree(stack.folders.certs / name)
    then = datetime.now(UTC) - timedelta(days=80)
    workloads = [name for name in names if "/" not in name]
    clients = [name.removeprefix("client/") for name in names if "/" in name]
    certificates.ensure(stack.folders.certs, "default", workloads, clients=clients, now=then)


def test_leaves_that_grow_old_are_renewed_those_of_the_companys_callers_too(stack: Stack) -> None:
    certificates.ensure(stack.folders.certs, "default", clients=["reports", "fresh"])
    (stack.folders.certs / "client" / "Not A Name").mkdir()
    make_old(stack, "dispatch", "pdf", "client/reports")
    files = {name: stack.tls_dir(name) / "tls.crt" for name in ("dispatch", "pdf", "client/reports", "client/fresh")}
    before = {name: file.read_bytes() for name, file in files.items()}

    assert stack.renew_certificates() == ("dispatch",), "pdf is a server alone and takes its files up by itself"

    renewed = {name for name, file in files.items() if file.read_bytes() != before[name]}
    assert renewed == {"dispatch", "pdf", "client/reports"}
    assert stack.renew_certificates() == ()


def test_parts_that_read_their_certificate_once_are_restarted_after_its_renewal(tmp_path: Path) -> None:
    with Stack(tmp_path / "var", Ports.free()) as stack:
        make_old(stack, "adapter", "dispatch", "pdf")
        before = {name: part.pid for name, part in stack.parts.items()}

        renew_certificates(stack)

        restarted = {name for name, part in stack.parts.items() if part.pid != before[name]}
        assert restarted == {"adapter", "dispatch"}
        stack.wait_until_ready()


def test_a_service_may_be_any_program(tmp_path: Path) -> None:
    service = Service("tables", "", 9103, ("acme.tables.v1.TablesService",), command=("/opt/acme/tables", "--serve"))

    assert Plan(Folders(tmp_path), Ports(), (service,)).service(service).arguments == ("/opt/acme/tables", "--serve")


def test_the_deployment_s_own_settings_win_over_the_shell_s(tmp_path: Path) -> None:
    shell = {"PAPERMESH_RATE_SCALE": "100", "PAPERMESH_HTTP_HOST": "::", "PAPERMESH_AUDIENCE": "production"}
    environment = Plan(Folders(tmp_path), Ports(), settings=shell).adapter().environment

    assert environment["PAPERMESH_RATE_SCALE"] == "100"
    assert environment["PAPERMESH_HTTP_HOST"] == "127.0.0.1"
    assert environment["PAPERMESH_AUDIENCE"] == "laptop"


def test_every_python_server_listens_on_loopback_only(tmp_path: Path) -> None:
    plan = Plan(Folders(tmp_path), Ports(), settings={"PAPERMESH_BIND_HOST": "::"})

    for command in (plan.dispatch(), plan.service(SERVICES[0])):
        assert command.environment["PAPERMESH_BIND_HOST"] == "127.0.0.1"
