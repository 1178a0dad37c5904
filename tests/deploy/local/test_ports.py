import socket
from contextlib import closing

import pytest

from benchmarks.free_ports import free_ports
from deploy.local import replicas
from deploy.local.ports import PortError, Ports
from deploy.workloads import SERVICES, Workload


def test_the_default_ports_are_those_of_the_documentation() -> None:
    ports = Ports.from_environment({})

    assert (ports.http, ports.edge, ports.mesh, ports.dispatch, ports.of(SERVICES[0])) == (9000, 8443, 8444, 9101, 9102)


def test_each_port_is_moved_by_its_variable() -> None:
    ports = Ports.from_environment({"PAPERMESH_HTTP_PORT": "9010", "PAPERMESH_PDF_PORT": "9112"})

    assert (ports.http, ports.edge, ports.of(SERVICES[0])) == (9010, 8443, 9112)


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "९०००"])
def test_what_is_no_port_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(PortError, match="PAPERMESH_EDGE_PORT must be a port number"):
        Ports.from_environment({"PAPERMESH_EDGE_PORT": text})


def test_a_taken_port_is_named_with_the_variable_that_moves_it() -> None:
    ports = free_ports()
    with (
        closing(socket.create_server(("127.0.0.1", ports.mesh))),
        pytest.raises(PortError, match=rf"Port {ports.mesh} cannot be used.*PAPERMESH_MESH_PORT={ports.mesh + 10}"),
    ):
        ports.check()


def test_a_service_s_taken_port_is_named_too() -> None:
    ports = free_ports()
    taken = closing(socket.create_server(("127.0.0.1", ports.of(SERVICES[0]))))
    with taken, pytest.raises(PortError, match=r"PAPERMESH_PDF_PORT=\d+ make up"):
        ports.check()


def test_one_port_for_two_parts_is_found_out() -> None:
    with pytest.raises(PortError, match=r"PAPERMESH_\w+_PORT"):
        Ports(http=21_999, edge=21_999).check()


def test_free_ports_are_all_different_and_can_be_bound() -> None:
    services = (*SERVICES, Workload("tables", "acme.tables", 9103, ("acme.tables.v1.TablesService",)))
    ports = free_ports(services)

    numbers = {ports.http, ports.edge, ports.mesh, ports.dispatch, *(ports.of(service) for service in services)}
    assert len(numbers) == 6
    ports.check(services)


def test_the_variable_of_a_part_moves_its_replicas_too() -> None:
    ports = free_ports()
    second = replicas.port(ports.dispatch, 2)
    with closing(socket.create_server(("127.0.0.1", second))):
        ports.check(counts={"pdf": 3})
        with pytest.raises(
            PortError, match=rf"Port {second} cannot be used.*PAPERMESH_DISPATCH_PORT={ports.dispatch + 10} "
        ):
            ports.check(counts={"dispatch": 2})


def test_replicas_of_two_parts_do_not_meet() -> None:
    free = free_ports()
    second = replicas.port(free.dispatch, 2)
    ports = Ports(free.http, free.edge, free.mesh, free.dispatch, {"pdf": second})
    with pytest.raises(PortError, match=rf"Port {second} .*PAPERMESH_PDF_PORT"):
        ports.check(counts={"dispatch": 2})


def test_a_port_that_leaves_no_room_for_replicas_is_named() -> None:
    ports = free_ports()
    high = Ports(ports.http, ports.edge, ports.mesh, 65_500, ports.services)
    with pytest.raises(PortError, match="PAPERMESH_DISPATCH_PORT=65500 leaves no port for more replicas"):
        high.check(counts={"dispatch": 2})


def test_free_ports_have_room_for_three_replicas() -> None:
    free_ports().check(counts={"dispatch": 3, "pdf": 3})
