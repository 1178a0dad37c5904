"""The table of allowed paths in docs/kubernetes.md says what the chart renders; on a cluster, its paths are tried."""

from tests.cluster.support.paths import documented
from tests.deploy.helm.chart import render
from tests.deploy.helm.test_network import let_in, let_out

PLACEHOLDERS = (
    "<service>",
    "<port>",
    "<caller>",
    "<egress>",
    "<egress port>",
    "<adapterClients>",
    "<edgeClients>",
    "<scrapers>",
    "<redis caller>",
    "<every part>",
    "<otlp>",
    "<otlp port>",
    "<s3>",
    "<redis>",
    "<oidc>",
)


def test_the_table_names_the_paths_of_the_chart_as_it_comes_and_no_others() -> None:
    standing = {path for path in documented(dict.fromkeys(PLACEHOLDERS, ())) if path[0] != "setup"}
    rendered = render()
    names = {(source, "dns", port) for source, target, port in let_out(rendered) if target == "outside"}
    assert standing == let_in(rendered) | names
