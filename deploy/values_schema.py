"""The chart's values.schema.json, from its values and deploy/helm/schema.yaml: `python -m deploy.values_schema`.

Every value that is listed must be there, and no other may. What a value is follows from its default and its name. Where
that is not enough, a note beside it says more:

    mode: apiKeys  # @ apiKeys | oidc | none      one of these
    callSeconds: 50  # @ 45..600                  a whole number; >0..1 is any number above 0
    duration: 2160h  # @ /^[0-9]+h$/              a pattern
    proxies: []  # @ networks                     a kind of schema.yaml
"""

import json
import re
import sys
from dataclasses import dataclass
from typing import Any

import yaml

from deploy.values_page import CHART

Schema = dict[str, Any]

_MAY_BE_MISSING = {"global", "enabled"}
"""At the top: a chart around this one gives them."""

_NOTE = re.compile(r"  # @ (?P<note>.+)$")
_RANGE = re.compile(r"(?P<above>>?)(?P<least>[0-9]+)\.\.(?P<most>[0-9]*)")
_SOMETHING = {"minLength": 1, "minItems": 1, "minProperties": 1}
_NOTHING = {"maxLength": 0, "maxItems": 0, "maxProperties": 0}
_TYPES = {"str": "string", "bool": "boolean", "int": "integer", "float": "number", "seq": "array", "map": "object"}


def schema() -> Schema:
    """The schema, of draft 7, which Helm takes.

    Raises:
        ValueError: naming a value of which nothing says what it is.
    """
    said = yaml.safe_load((CHART.parent / "schema.yaml").read_text(encoding="utf-8"))
    kinds = said["kinds"]
    named = {name: kind for kind, names in said["names"].items() for name in names}
    entry = (CHART / "files" / "service.yaml").read_text(encoding="utf-8")
    values = (CHART / "values.yaml").read_text(encoding="utf-8")
    whole = Values(values, kinds, named).schema()
    whole["required"] = [name for name in whole["required"] if name not in _MAY_BE_MISSING]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart papermesh, written by make gen",
        **whole,
        "allOf": [
            *({"if": _holds(when), "else": _at(path, _NOTHING)} for path, when in said["only"].items()),
            *(
                {"if": _holds(when), "then": _all([_needed(path) for path in paths])}
                for when, paths in said["needed"].items()
            ),
        ],
        "definitions": {**kinds, "service": {**Values(entry, kinds, named, complete=False).schema(), **said["entry"]}},
    }


@dataclass(frozen=True)
class Values:
    """A file of values, read as a schema."""

    text: str
    kinds: dict[str, Schema]
    named: dict[str, str]
    """The kind of every value that is called so."""

    complete: bool = True
    """Whether all that is listed must be there."""

    def schema(self) -> Schema:
        """All of them as one object.

        Raises:
            ValueError: naming a value of which nothing says what it is.
        """
        return self._group(yaml.compose(self.text), "")

    def _group(self, node: Any, path: str) -> Schema:
        properties = {key.value: self._value(key, value, f"{path}{key.value}") for key, value in node.value}
        required = {"required": sorted(properties)} if self.complete else {}
        return {"type": "object", "additionalProperties": False, **required, "properties": properties}

    def _value(self, key: Any, node: Any, path: str) -> Schema:
        kind = _TYPES.get(node.tag.rpartition(":")[2], "null")
        noted = _NOTE.search(self.text.splitlines()[key.start_mark.line])
        if noted:
            return self._noted(noted["note"], path)
        name = self.named.get(key.value, "")
        if name and self.kinds[name].get("type", kind) == kind:
            ours = {"$ref": f"#/definitions/{name}"}
            listed = sorted(child.value for child, _ in node.value) if name == "image" else []
            return {"allOf": [ours, {"required": listed}]} if listed else ours
        if kind == "object" and node.value:
            return self._group(node, f"{path}.")
        if kind in {"object", "array", "null"}:
            raise ValueError(
                f"Nothing says what {path} may hold: write a note beside it, or its name into schema.yaml."
            )
        return {"type": kind}

    def _noted(self, note: str, path: str) -> Schema:
        if note in self.kinds:
            return {"$ref": f"#/definitions/{note}"}
        if note.startswith("/"):
            return {"type": "string", "pattern": note[1:-1]}
        if found := _RANGE.fullmatch(note):
            most = {"maximum": int(found["most"])} if found["most"] else {}
            if found["above"]:
                return {"type": "number", "exclusiveMinimum": int(found["least"]), **most}
            return {"type": "integer", "minimum": int(found["least"]), **most}
        if " | " in note:
            return {"enum": [yaml.safe_load(each) for each in note.split(" | ")]}
        raise ValueError(f"The note beside {path} is none: {note}")


def _holds(condition: str) -> Schema:
    """Whether all of some values are what they must be, "a.b=true c=2..", or anything, "a.b"."""
    parts = [each.partition("=") for each in condition.split()]
    return _all([_at(path, _is(value) if equals else _SOMETHING) for path, equals, value in parts])


def _needed(what: str) -> Schema:
    path, equals, value = what.partition("=")
    return _at(path, {"contains": {"const": value}} if equals else _SOMETHING)


def _is(value: str) -> Schema:
    if found := _RANGE.fullmatch(value):
        return {"minimum": int(found["least"])}
    return {"enum": [yaml.safe_load(each) for each in value.split("|")]}


def _at(path: str, what: Schema) -> Schema:
    for name in reversed(path.split(".")):
        what = {"properties": {name: what}}
    return what


def _all(schemas: list[Schema]) -> Schema:
    return schemas[0] if len(schemas) == 1 else {"allOf": schemas}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
