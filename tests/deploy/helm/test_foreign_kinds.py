"""Kinds that a cluster may not have: cert-manager's, Prometheus's and the Gateway API's, checked by their own schemas.

third_party/kubernetes_kinds holds the schemas of cert-manager 1.18.2, of Prometheus's operator 0.83.0 and of the
Gateway API 1.3.0, closed so that a misspelt field is found.
"""

import json

import jsonschema
import pytest

from tests.conftest import ROOT
from tests.deploy.helm.chart import VALUES, render

KINDS = {path.stem: path for path in (ROOT / "third_party" / "kubernetes_kinds").glob("*.json")}


def test_there_is_one_of_each_to_check() -> None:
    rendered = [each["kind"] for name in VALUES for each in render(name).objects]
    assert set(KINDS) <= set(rendered)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_it_is_as_its_makers_schema_says(kind: str) -> None:
    schema = json.loads(KINDS[kind].read_text(encoding="utf-8"))
    for name in VALUES:
        for each in render(name).of(kind).values():
            jsonschema.Draft7Validator(schema).validate(each)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_schema_finds_a_misspelt_field(kind: str) -> None:
    schema = json.loads(KINDS[kind].read_text(encoding="utf-8"))
    each = next(each for name in VALUES for each in render(name).of(kind).values())
    misspelt = {**each, "spec": {**each["spec"], "nosuchfield": True}}
    assert not jsonschema.Draft7Validator(schema).is_valid(misspelt)
