import pytest

from deploy.local import replicas
from deploy.local.replicas import ReplicaError
from deploy.workloads import Workload


def test_the_first_replica_has_the_parts_own_name_and_port() -> None:
    assert [replicas.name("pdf", number) for number in (1, 2, 3)] == ["pdf", "pdf-2", "pdf-3"]
    assert [replicas.port(9102, number) for number in (1, 2, 3)] == [9102, 9202, 9302]


def test_there_is_one_of_what_is_not_named() -> None:
    assert list(replicas.numbers({"pdf": 3}, "pdf")) == [1, 2, 3]
    assert list(replicas.numbers({"pdf": 3}, "dispatch")) == [1]


def test_each_count_is_set_by_its_variable() -> None:
    set_ones = {"PAPERMESH_PDF_REPLICAS": "2", "PAPERMESH_ADAPTER_REPLICAS": "3", "PAPERMESH_DISPATCH_REPLICAS": ""}
    assert replicas.from_environment(set_ones) == {"pdf": 2, "adapter": 3}


@pytest.mark.parametrize("text", ["0", "10", "-1", "two", "२", "1.5"])
def test_what_is_no_count_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ReplicaError, match="PAPERMESH_PDF_REPLICAS must be a number from 1 to 9"):
        replicas.from_environment({"PAPERMESH_PDF_REPLICAS": text})


@pytest.mark.parametrize("part", ["envoy", "redis-state", "tables"])
def test_what_cannot_run_twice_is_named(part: str) -> None:
    with pytest.raises(ReplicaError, match=rf"only one {part}\. .*dispatch, pdf, adapter"):
        replicas.check({part: 2})


def test_a_service_with_the_name_of_a_replica_is_found_out() -> None:
    services = [Workload(name, f"acme.{name}", 9103, (f"acme.{name}.v1.S",)) for name in ("tables", "tables-2")]

    replicas.check({"tables-2": 2}, services)
    with pytest.raises(ReplicaError, match="Two parts would be called tables-2"):
        replicas.check({"tables": 2}, services)
