"""The chart's README, written from the comments of its values: `python -m deploy.values_page`."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

CHART = Path(__file__).parent / "helm" / "papermesh"

_HEAD = """\
# The chart papermesh

[docs/kubernetes.md](../../../docs/kubernetes.md) walks through the first installation, upgrades, rotation and what to
watch. This is every value, with its default; a strict schema refuses what is not here. It is written by `make gen` from
[values.yaml](values.yaml) and [files/service.yaml](files/service.yaml).
"""

_SECTION = re.compile(r"# -- (?P<title>.+?) -+")
_WHOLE = ("resources", "Resources")
"""How keys end that are shown in one row: nobody reads their parts apart."""

_OF_EVERY_POD = re.compile(
    "podLabels|podAnnotations|nodeSelector|affinity|tolerations|topologySpreadConstraints|priorityClassName|"
    "podDisruptionBudget|serviceAccount|resources|tmpSize|env|volumes|volumeMounts|egress"
)
"""Keys that are explained once: the first comment holds for all of that name that have none."""


@dataclass(frozen=True)
class Value:
    """One value, or a group of them."""

    path: str
    """Its keys, with dots between them."""

    comment: str
    default: str
    """As YAML has it in one line; empty for a group."""

    section: str
    """The heading above it in the file; empty before the first."""


def values(text: str) -> Iterator[Value]:
    """What a values file holds, in its order; a group without a comment is left out.

    Raises:
        ValueError: naming a value that has no comment.
    """
    lines = text.splitlines()
    if root := yaml.compose(text):
        yield from _under(root, "", lines, {})


def page() -> str:
    """The README as Markdown."""
    text, section = _HEAD, ""
    for value in _values_of_the_chart():
        if value.section != section or not text.count("|---|"):
            section = value.section
            text += f"\n## {section or 'General'}\n\n| value | default | meaning |\n|---|---|---|\n"
        default = f"`{value.default}`" if value.default else ""
        text += f"| `{value.path}` | {default} | {_cell(value.comment)} |\n"
    return text + _together()


def _together() -> str:
    """Which values need which others, and which are for nothing without."""
    said = yaml.safe_load((CHART.parent / "schema.yaml").read_text(encoding="utf-8"))
    text = "\n## What belongs together\n\n| where | is needed |\n|---|---|\n"
    text += "".join(f"| {_code(when.split())} | {_code(paths)} |\n" for when, paths in said["needed"].items())
    text += "\n| value | may be set only where |\n|---|---|\n"
    return text + "".join(f"| {_code([path])} | {_code(when.split())} |\n" for path, when in said["only"].items())


def _values_of_the_chart() -> Iterator[Value]:
    """All of them; what an entry of `services` may say comes before our own entries."""
    for value in values((CHART / "values.yaml").read_text(encoding="utf-8")):
        yield value
        if value.path == "services":
            for each in values((CHART / "files" / "service.yaml").read_text(encoding="utf-8")):
                yield replace(each, path=f"services.<name>.{each.path}", section=value.section)


def _under(node: yaml.Node, prefix: str, lines: list[str], said: dict[str, str]) -> Iterator[Value]:
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        comment = _comment_above(key.start_mark.line, lines)
        if _OF_EVERY_POD.fullmatch(key.value):
            comment = comment or said.get(key.value, "")
            said.setdefault(key.value, comment)
        section = _section_above(key.start_mark.line, lines)
        is_group = isinstance(value, yaml.MappingNode) and not value.flow_style and not key.value.endswith(_WHOLE)
        if comment:
            yield Value(path, comment, "" if is_group else _in_one_line(value), section)
        elif not is_group:
            raise ValueError(f"values.yaml says nothing about {path}: write a comment above it.")
        if is_group:
            yield from _under(value, f"{path}.", lines, said)


def _comment_above(line: int, lines: list[str]) -> str:
    found: list[str] = []
    while (above := lines[line - 1].strip() if line else "").startswith("#") and not _SECTION.fullmatch(above):
        found.insert(0, above.removeprefix("#").strip())
        line -= 1
    return " ".join(found)


def _section_above(line: int, lines: list[str]) -> str:
    titles = [match["title"] for each in lines[:line] if (match := _SECTION.fullmatch(each))]
    return titles[-1] if titles else ""


def _in_one_line(node: yaml.Node) -> str:
    loaded = yaml.safe_load(yaml.serialize(node))
    text = yaml.safe_dump(loaded, default_flow_style=True, width=sys.maxsize, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...").replace("''", '""')


def _cell(comment: str) -> str:
    return comment.replace("<", "&lt;").replace("|", "\\|")


def _code(words: list[str]) -> str:
    return ", ".join(f"`{_cell(word)}`" for word in words)


if __name__ == "__main__":
    sys.stdout.write(page())
