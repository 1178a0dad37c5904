"""A service of one's own needs the public names of services.base, and nothing else of it."""

import ast
import importlib
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT
from tests.docs.page import steps

PAGE = ROOT / "docs" / "add-a-service.md"
OURS = {"cli", "deploy", "envoy", "mcp_adapter", "services", "trust"}

Name = tuple[str, str]
"""A module, and what is used of it."""


def used(source: str) -> Iterator[Name]:
    """What a program uses of Papermesh: what it imports by name, and what it reaches through a module."""
    modules: dict[str, str] = {}
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not {each.name.partition(".")[0] for each in node.names} & OURS, "imports are by name"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OURS:
            module = str(node.module)
            if module == "services.base":
                modules |= {each.asname or each.name: f"{module}.{each.name}" for each in node.names}
            else:
                yield from ((module, each.name) for each in node.names)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def on_the_page() -> set[Name]:
    """Of the programs that the page shows, and of what it speaks of."""
    text = PAGE.read_text(encoding="utf-8")
    programs = [step.text for step in steps(PAGE) if step.kind == "python"]
    spoken = re.findall(r"`(services\.base\.[a-z_]+)\.([A-Za-z_]+)", text)
    return {*spoken, *(name for program in programs for name in used(program))}


@pytest.mark.parametrize(("module", "name"), sorted(on_the_page()))
def test_the_page_uses_public_names_alone(module: str, name: str) -> None:
    assert name in importlib.import_module(module).__all__


def test_the_page_uses_what_a_service_cannot_do_without() -> None:
    assert {("services.base.server", "Server"), ("services.base.actions", "load")} <= on_the_page()


def test_whoever_follows_the_page_in_a_test_needs_nothing_else_of_the_kit() -> None:
    following = (ROOT / "tests" / "docs" / "test_add_a_service.py").read_text(encoding="utf-8")
    assert [module for module, _ in used(following) if module.startswith("services")] == []
