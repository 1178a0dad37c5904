"""The schema, the values and what an entry of `services` says when it says nothing, name the same keys."""

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.helm.chart import CHART

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


def test_an_entry_of_services_may_say_what_ours_says() -> None:
    known = SCHEMA["definitions"]["service"]["properties"].keys()
    text = (CHART / "templates" / "_services.tpl").read_text(encoding="utf-8")
    defaults = re.search(r'define "papermesh.serviceDefaults" -}}\n(.*?)\{\{- end', text, re.DOTALL)
    assert defaults
    assert VALUES["services"]["pdf"].keys() == known
    assert yaml.safe_load(defaults[1]).keys() == known
