"""The schema, the values and what an entry of `services` says when it says nothing, name the same keys."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploy import values_schema
from tests.deploy.helm.chart import CHART, render

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))

_FREE = {"resources", "drainResources", "global", "services"}
"""Kubernetes' own, anybody's, and the entries, which are looked at by themselves."""

_NOT_LISTED = {"envoy.image.pullPolicy", "redis.image.pullPolicy"}
"""The release's holds for them; they may say otherwise."""


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its references followed, as far as its properties are named."""
    if "$ref" in schema:
        return resolved(SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]])
    whole = dict(schema)
    for part in whole.pop("allOf", ()):
        whole = {**resolved(part), **whole, **({"required": part["required"]} if "required" in part else {})}
    return whole


def objects(schema: dict[str, Any], values: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every object whose properties are named: its path, its schema and its values."""
    whole = resolved(schema)
    if "properties" not in whole:
        return
    yield path, whole, values
    for name, value in values.items():
        if isinstance(value, dict) and name not in _FREE:
            yield from objects(whole["properties"][name], value, f"{path}.{name}".lstrip("."))


def test_every_key_that_the_schema_knows_is_among_the_values() -> None:
    for path, schema, values in objects(SCHEMA, VALUES):
        missing = {f"{path}.{name}".lstrip(".") for name in schema["properties"].keys() - values.keys()}
        assert missing <= _NOT_LISTED


def test_whatever_has_named_keys_takes_no_others() -> None:
    for path, schema, _ in objects(SCHEMA, VALUES):
        assert schema["additionalProperties"] is False, path
    for name, definition in SCHEMA["definitions"].items():
        if "properties" in definition and name != "named":  # Kubernetes' own lists of volumes and mounts
            assert definition["additionalProperties"] is False, name


def test_an_entry_of_services_may_say_what_ours_says_and_every_entry_leaves_out() -> None:
    known = SCHEMA["definitions"]["service"]["properties"].keys()
    ours = yaml.safe_load((CHART / "files" / "workloads.yaml").read_text(encoding="utf-8"))["services"]
    assert yaml.safe_load((CHART / "files" / "service.yaml").read_text(encoding="utf-8")).keys() == known
    assert VALUES["services"]["pdf"].keys() | ours["pdf"].keys() <= known


def test_every_label_that_the_chart_sets_is_refused_to_values() -> None:
    (refused,) = SCHEMA["definitions"]["labels"]["patternProperties"]
    set_by_the_chart = {label for _, pod in render().pods() for label in pod["metadata"]["labels"] if "/" in label} | {
        label for each in render().objects for label in each["metadata"]["labels"]
    }
    assert len(set_by_the_chart) == 8
    assert [label for label in set_by_the_chart if not re.search(refused, label)] == []


def test_it_is_what_the_values_and_their_notes_say() -> None:
    assert values_schema.schema() == SCHEMA, "values.schema.json is stale: run make gen"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: x  # @ x | y", {"enum": ["x", "y"]}),
        ('a: ""  # @ "" | yes', {"enum": ["", True]}),
        ("a: 1  # @ 0..60", {"type": "integer", "minimum": 0, "maximum": 60}),
        ("a: 1  # @ 2..", {"type": "integer", "minimum": 2}),
        ("a: 1  # @ >0..9", {"type": "number", "exclusiveMinimum": 0, "maximum": 9}),
        ("a: 1h  # @ /^[0-9]+h$/", {"type": "string", "pattern": "^[0-9]+h$"}),
        ("a: []  # @ ports", {"$ref": "#/definitions/ports"}),
        ("port: 1", {"$ref": "#/definitions/port"}),
        ("a: true", {"type": "boolean"}),
        ("a: x", {"type": "string"}),
    ],
)
def test_a_value_is_what_its_default_its_name_or_the_note_beside_it_says(text: str, found: dict[str, Any]) -> None:
    kinds: dict[str, Any] = {"ports": {"type": "array"}, "port": {"type": "integer"}}
    read = values_schema.Values(text, kinds, {"port": "port"}).schema()
    ((_, value),) = read["properties"].items()
    assert value == found
    assert read["required"] == list(read["properties"])
    assert read["additionalProperties"] is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a:\n  b: []", r"Nothing says what a\.b may hold"),
        ("a: {}", "Nothing says what a may hold"),
        ("a: x  # @ nmae", "The note beside a is none: nmae"),
    ],
)
def test_a_value_of_which_nothing_says_what_it_is_is_refused_by_its_path(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        values_schema.Values(text, {}, {}).schema()
