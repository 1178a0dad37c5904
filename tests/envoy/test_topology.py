from pathlib import Path

import pytest

from envoy.topology import Address, Service, Topology, load
from services.base.errors import OperatorError

MINIMAL = """
config_dir: config
tls_dir: tls
admin_socket: admin.sock
dispatch: [{host: 127.0.0.1, port: 50051}]
"""

ECHO = "{{workload: {}, serves: [acme.Echo], endpoints: [{{host: echo, port: 1}}]}}"


def read(folder: Path, text: str) -> Topology:
    file = folder / "topology.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


def test_little_has_to_be_said_and_the_rest_is_cautious(tmp_path: Path) -> None:
    topology = read(tmp_path, MINIMAL)
    assert topology.dispatch == (Address("127.0.0.1", 50051),)
    assert topology.edge == Address("127.0.0.1", 8443)
    assert topology.mesh == Address("127.0.0.1", 8444)
    assert topology.operator_on_mesh is False
    assert topology.access_log is None


def test_a_service_is_called_by_dispatch_unless_others_are_named(tmp_path: Path) -> None:
    service = "services: [{workload: pdf, serves: [papermesh.pdf.v1.PdfService], endpoints: [{host: pdf, port: 1}]}]"
    assert read(tmp_path, MINIMAL + service).services == (
        Service("pdf", ("papermesh.pdf.v1.PdfService",), (Address("pdf", 1),), ("dispatch",)),
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("namespace: Not_A_Name", "namespace: "),
        ("typo: 1", "typo: "),
        ("edge: {host: 127.0.0.1, port: 70000}", "edge.port: "),
        ("edge: {host: localhost, port: 1}", "must be an IP address"),
        ("mesh: {host: 127.0.0.1, port: 8443}", "different addresses"),
        ("dispatch: []", "dispatch: "),
        ("concurrency: 0", "concurrency: "),
        (f"admin_socket: /{'a' * 107}", "admin_socket: "),
        (f"services: [{ECHO.format('dispatch')}]", "name of its own"),
        (f"services: [{ECHO.format('a')}, {ECHO.format('b')}]", "served by two workloads"),
        ("rate_scale: 0", "rate_scale: "),
        (f"services: [{ECHO.format('a').replace('acme.Echo', 'papermesh.engine.v1.EngineService')}]", "leave it out"),
        ("services: [{workload: a, serves: [a/B], endpoints: [{host: h, port: 1}]}]", "services.0.serves.0: "),
        ("{", "is not YAML"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, line: str, complaint: str) -> None:
    with pytest.raises(OperatorError, match=r"topology\.yaml") as refusal:
        read(tmp_path, MINIMAL + line)
    assert complaint in str(refusal.value)


def test_a_missing_file_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be read: No such file"):
        load(tmp_path / "absent.yaml")
