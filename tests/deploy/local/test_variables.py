from pathlib import Path

from deploy.local.variables import unknown
from deploy.workloads import SERVICES, Workload

TABLES = Workload("tables", "acme.tables", 9103, ("acme.tables.v1.TablesService",), descriptors=(Path("acme.binpb"),))


def told(*names: str) -> list[str]:
    return list(unknown(names, (*SERVICES, TABLES)))


def test_what_a_part_the_deployment_or_the_command_line_reads_is_known() -> None:
    assert told("PAPERMESH_AUTH", "PAPERMESH_PDF_PORT", "PAPERMESH_ADAPTER_REPLICAS", "PAPERMESH_VAR", "PATH") == []
    assert told("PAPERMESH_RATE_SCALE", "PAPERMESH_TOKEN", "PAPERMESH_MESH_PORT", "PAPERMESH_HTTP_HOST") == []


def test_a_mistyped_name_is_told_with_the_one_that_it_is_near_to() -> None:
    assert told("PAPERMESH_HTP_HOST") == ["Nothing reads PAPERMESH_HTP_HOST. Did you mean PAPERMESH_HTTP_HOST?"]
    assert told("PAPERMESH_PDF_REPLICA") == [
        "Nothing reads PAPERMESH_PDF_REPLICA. Did you mean PAPERMESH_PDF_REPLICAS?"
    ]


def test_a_name_that_is_near_to_none_is_told_too() -> None:
    assert told("PAPERMESH_XYZZY_QUUX") == ["Nothing reads PAPERMESH_XYZZY_QUUX."]


def test_a_service_of_the_company_s_own_reads_what_starts_with_its_name() -> None:
    assert told("PAPERMESH_TABLES_ROWS", "PAPERMESH_TABLES_PORT", "PAPERMESH_TABLES_REPLICAS") == []
