import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from benchmarks.free_ports import free_ports
from deploy.local.folders import Folders
from deploy.local.hold import HeldError
from deploy.local.part import PartError
from deploy.local.parts import Plan
from deploy.local.ports import Ports
from deploy.local.replicas import ReplicaError
from deploy.local.stack import Stack
from deploy.local.up import renew_certificates
from deploy.workloads import SERVICES, Workload
from envoy.__main__ import EXAMPLES
from envoy.topology import load
from services.base.settings import SettingsError
from trust import certificates

pytestmark = pytest.mark.measures_time

TABLES = Workload("tables", "acme.tables", 9103, ("acme.tables.v1.TablesService",), descriptors=(Path("acme.binpb"),))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "var", free_ports())
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
    assert json.loads((root / "secrets" / "audit.json").read_text())["secret"]
    assert json.loads((root / "secrets" / "tickets.json").read_text())["secrets"]
    assert (root / "redis-state" / "redis.conf").exists()
    assert (root / "redis-cache" / "redis.conf").exists()


def test_envoy_is_configured_for_the_deployment_s_own_ports(stack: Stack) -> None:
    bootstrap = yaml.safe_load((stack.folders.envoy / "envoy.yaml").read_text())
    listeners = bootstrap["static_resources"]["listeners"]
    addresses = [listener["address"]["socket_address"] for listener in listeners]
    assert addresses == [
        {"address": "127.0.0.1", "port_value": stack.ports.edge},
        {"address": "127.0.0.1", "port_value": stack.ports.mesh},
    ]


def test_parts_are_started_in_the_order_in_which_they_need_each_other(stack: Stack) -> None:
    assert list(stack.parts) == ["redis-state", "redis-cache", "dispatch", "pdf", "envoy", "adapter"]


def test_each_replica_is_a_part_with_a_port_and_folders_of_its_own_and_envoy_knows_all(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "var", free_ports(), replicas={"dispatch": 2, "pdf": 3, "adapter": 2})
    stack.prepare()
    stack.stop()

    backends = ["dispatch", "dispatch-2", "pdf", "pdf-2", "pdf-3"]
    assert list(stack.parts) == ["redis-state", "redis-cache", *backends, "envoy", "adapter", "adapter-2"]
    bootstrap = yaml.safe_load((stack.folders.envoy / "envoy.yaml").read_text())
    found = {
        cluster["name"]: [
            endpoint["endpoint"]["address"]["socket_address"]["port_value"]
            for endpoint in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        ]
        for cluster in bootstrap["static_resources"]["clusters"]
    }
    dispatch, pdf = stack.ports.dispatch, stack.ports.of(SERVICES[0])
    assert found == {"dispatch": [dispatch, dispatch + 100], "pdf": [pdf, pdf + 100, pdf + 200]}


def test_replicas_share_a_certificate_and_what_only_one_may_have_is_its_own(tmp_path: Path) -> None:
    plan = Plan(Folders(tmp_path), Ports())

    one, other = plan.dispatch().environment, plan.dispatch(2).environment
    own = {name for name in one if one[name] != other[name]}
    assert own == {"PAPERMESH_DISPATCH_PORT", "PAPERMESH_REPLICA", "PAPERMESH_SPOOL_DIR"}
    assert (one["PAPERMESH_REPLICA"], other["PAPERMESH_REPLICA"]) == ("dispatch", "dispatch-2")
    one, other = plan.service(SERVICES[0]).environment, plan.service(SERVICES[0], 2).environment
    assert {name for name in one if one[name] != other[name]} == {"PAPERMESH_PDF_PORT", "PAPERMESH_WORK_DIR"}
    one, other = plan.adapter().environment, plan.adapter(2).environment
    assert {name for name in one if one[name] != other[name]} == {"PAPERMESH_SPOOL_DIR"}


def test_counts_that_make_no_sense_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ReplicaError, match="only one envoy"):
        Stack(tmp_path / "var", free_ports(), replicas={"envoy": 2}).prepare()
    assert not (tmp_path / "var").exists()


def test_the_adapters_port_is_held_from_the_start_to_the_stop(stack: Stack) -> None:
    with closing(socket.create_connection(("127.0.0.1", stack.ports.http))):
        pass
    stack.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", stack.ports.http))


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan", "inf", "1000001"])
def test_a_scale_of_rates_that_is_none_is_refused_by_its_name(tmp_path: Path, text: str) -> None:
    plan = Plan(Folders(tmp_path), Ports(), settings={"PAPERMESH_RATE_SCALE": text})
    with pytest.raises(SettingsError, match="PAPERMESH_RATE_SCALE must be a number above 0"):
        plan.topology()


def test_envoys_rates_follow_the_scale(tmp_path: Path) -> None:
    assert Plan(Folders(tmp_path), Ports(), settings={"PAPERMESH_RATE_SCALE": "2.5"}).topology().rate_scale == 2.5
    assert Plan(Folders(tmp_path), Ports(), settings={"PAPERMESH_RATE_SCALE": ""}).topology().rate_scale == 1


def test_certificates_and_keys_are_kept_from_one_run_to_the_next(stack: Stack, tmp_path: Path) -> None:
    files = [stack.key_file("adapter"), stack.tls_dir("pdf") / "tls.crt", stack.tls_dir("adapter") / "ca.crt"]
    before = [file.read_bytes() for file in files]
    stack.stop()

    again = Stack(tmp_path / "var", free_ports())
    again.prepare()
    again.stop()

    assert [file.read_bytes() for file in files] == before


def test_a_folder_has_one_supervisor(stack: Stack) -> None:
    other = Stack(stack.folders.root, free_ports())

    with pytest.raises(HeldError, match="is already running"):
        other.start()


def test_when_a_part_cannot_start_it_is_named_and_everything_else_is_stopped(tmp_path: Path) -> None:
    broken = replace(SERVICES[0], command=(sys.executable, "-c", "raise SystemExit('there are no fonts')"))
    stack = Stack(tmp_path / "var", free_ports(), (broken,))

    with pytest.raises(PartError, match=r"pdf ended with status 1 before it was ready[\s\S]*there are no fonts"):
        stack.start()

    assert not any(part.running for part in stack.parts.values())
    assert [file.name for file in stack.folders.run.iterdir()] == ["supervisor.lock"]
    stack.prepare()
    stack.stop()


def test_a_part_that_ends_once_its_port_listens_is_named_at_once_and_not_the_one_that_waits_for_it(
    tmp_path: Path,
) -> None:
    script = """
import os, socket, time
listener = socket.create_server(("127.0.0.1", int(os.environ["PAPERMESH_PDF_PORT"])))
listener.accept()
raise SystemExit("there are no fonts")
"""
    broken = replace(SERVICES[0], command=(sys.executable, "-c", script))
    stack = Stack(tmp_path / "var", free_ports(), (broken,))

    with pytest.raises(PartError, match=r"pdf ended with status 1\.[\s\S]*there are no fonts"):
        stack.start()


def test_two_deployments_run_side_by_side(stack: Stack) -> None:
    other = Stack(stack.folders.root / "other", free_ports())
    other.prepare()
    other.stop()


def test_one_entry_in_the_list_of_services_is_all_that_dispatch_envoy_and_certificates_need(tmp_path: Path) -> None:
    plan = Plan(Folders(tmp_path), Ports(services={"tables": 21_103}), (*SERVICES, TABLES))

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


def test_a_worker_that_nobody_calls_needs_no_port_and_no_proto_and_gets_what_its_entry_asks_for(tmp_path: Path) -> None:
    worker = Workload("reindex", "acme.reindex", callees=("pdf",), blobs="read", redis=("state",))
    plan = Plan(Folders(tmp_path), free_ports((*SERVICES, worker)), (*SERVICES, worker))

    (pdf,) = plan.topology().services
    assert pdf.callers == ("dispatch", "reindex")
    assert plan.dispatch().environment["PAPERMESH_SERVICES"] == "papermesh.pdf.v1.PdfService"
    own = plan.service(worker)
    assert own.ready_socket is not None
    assert not own.ready()
    assert own.environment["PAPERMESH_MESH_ADDRESS"] == f"localhost:{plan.ports.mesh}"
    assert own.environment["PAPERMESH_REDIS_STATE_URL"] == plan.dispatch().environment["PAPERMESH_REDIS_STATE_URL"]
    assert own.environment["PAPERMESH_BLOBS_URL"] == (tmp_path / "blobs").as_uri()
    assert not {"PAPERMESH_REINDEX_PORT", "PAPERMESH_REDIS_CACHE_URL"} & own.environment.keys()
    assert not {"PAPERMESH_MESH_ADDRESS", "PAPERMESH_REDIS_STATE_URL"} & plan.service(SERVICES[0]).environment.keys()


def test_a_worker_without_a_port_runs_once_it_says_that_it_is_ready(tmp_path: Path) -> None:
    script = """
import os, signal, socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
signal.pause()
"""
    worker = Workload("reindex", command=(sys.executable, "-c", script))
    with Stack(tmp_path / "var", free_ports((worker,)), (worker,)) as stack:
        assert stack.part("reindex").running
        assert (stack.tls_dir("reindex") / "tls.crt").exists()


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

    said = stack.renew_certificates()

    assert said == tuple(f"{name} has a new certificate." for name in ("dispatch", "pdf", "client/reports"))
    renewed = {name for name, file in files.items() if file.read_bytes() != before[name]}
    assert renewed == {"dispatch", "pdf", "client/reports"}
    assert stack.renew_certificates() == ()


def test_a_rotation_that_was_left_alone_is_carried_on(stack: Stack) -> None:
    folder = stack.folders.certs
    certificates.take(folder, certificates.Step.TRUST, "default")
    assert stack.renew_certificates() == (), "everybody gets the time to take it up"
    an_hour_ago = time.time() - 3601
    os.utime(folder / "ca" / "..data", (an_hour_ago, an_hour_ago), follow_symlinks=False)

    assert stack.renew_certificates() == ("The CA is being rotated: issue is done.",)


def test_a_renewal_that_fails_is_said_and_ends_nothing(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    (stack.folders.certs / "client" / "broken").mkdir(parents=True)
    (stack.folders.certs / "client" / "broken" / "tls.crt").mkdir()

    renew_certificates(stack)

    assert "cannot be written" in capsys.readouterr().out


def test_a_service_may_be_any_program(tmp_path: Path) -> None:
    service = Workload("tables", "", 9103, ("acme.tables.v1.TablesService",), command=("/opt/acme/tables", "--serve"))

    assert Plan(Folders(tmp_path), Ports(), (service,)).service(service).arguments == ("/opt/acme/tables", "--serve")


def test_the_deployment_s_own_settings_win_over_the_shell_s(tmp_path: Path) -> None:
    shell = {"PAPERMESH_RATE_SCALE": "100", "PAPERMESH_HTTP_PORT": "80", "PAPERMESH_AUDIENCE": "production"}
    environment = Plan(Folders(tmp_path), Ports(), settings=shell).adapter().environment

    assert environment["PAPERMESH_RATE_SCALE"] == "100"
    assert environment["PAPERMESH_HTTP_PORT"] == "9000"
    assert environment["PAPERMESH_AUDIENCE"] == "laptop"


def test_the_port_for_probes_is_the_adapters_and_each_replica_has_its_own(tmp_path: Path) -> None:
    plan = Plan(Folders(tmp_path), Ports(), settings={"PAPERMESH_PROBE_PORT": "9300"})

    assert plan.adapter().environment["PAPERMESH_PROBE_PORT"] == "9300"
    assert plan.adapter(2).environment["PAPERMESH_PROBE_PORT"] == "9400"
    for command in (plan.dispatch(), plan.service(SERVICES[0])):
        assert "PAPERMESH_PROBE_PORT" not in command.environment


@pytest.mark.parametrize("text", ["0", "none"])
def test_a_port_for_probes_that_is_none_is_left_to_the_adapter_to_refuse_or_to_do_without(
    tmp_path: Path, text: str
) -> None:
    plan = Plan(Folders(tmp_path), Ports(), settings={"PAPERMESH_PROBE_PORT": text})

    assert plan.adapter(2).environment["PAPERMESH_PROBE_PORT"] == text


def test_every_python_server_listens_on_loopback_only(tmp_path: Path) -> None:
    plan = Plan(Folders(tmp_path), Ports(), settings={"PAPERMESH_BIND_HOST": "::"})

    for command in (plan.dispatch(), plan.service(SERVICES[0])):
        assert command.environment["PAPERMESH_BIND_HOST"] == "127.0.0.1"
