from pathlib import Path

import pytest
import yaml

from deploy import workloads
from deploy.workloads import SERVICES, Workload

WORKER = Workload("worker", "services.worker", callees=("pdf",))
OWN = Workload("wordcount", "wordcount", 9110, ("wordcount.v1.S",), descriptors=(Path("wordcount.binpb"),))


@pytest.mark.parametrize("file", workloads.written(), ids=lambda file: file.name)
def test_what_follows_from_the_list_is_current(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == workloads.written()[file], f"{file} is stale: run make gen"


def test_a_worker_is_in_envoys_examples_as_a_caller_alone() -> None:
    for file, text in workloads.written((*SERVICES, WORKER)).items():
        if file.parent.name == "topologies":
            (pdf,) = yaml.safe_load(text)["services"]
            assert (pdf["workload"], pdf["callers"]) == ("pdf", ["dispatch", "worker"])


def test_a_service_of_a_company_is_left_to_its_values_and_its_topology() -> None:
    assert workloads.written((*SERVICES, OWN)) == workloads.written()


def test_everybody_has_a_certificate_whether_called_or_not() -> None:
    assert workloads.names((*SERVICES, WORKER)) == ("adapter", "dispatch", "envoy", "operator", "pdf", "worker")
