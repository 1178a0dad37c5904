"""services.base holds what several parts share: what one part alone uses lives in that part."""

import ast
from collections import defaultdict

from tests.conftest import ROOT

BASE = "services.base."
PRODUCT = ("cli", "deploy", "envoy", "mcp_adapter", "services", "trust")

STAY = {
    "redis.link": "the worker that carries out jobs will need it beside dispatch",
    "results": "for services of one's own",
    "testing": "for services of one's own",
}
"""What has one user or none for now, and why it is here all the same."""


def users() -> dict[str, set[str]]:
    """Who imports each module of services.base: a part, or services.base itself."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in (path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py")):
        top, *rest = file.relative_to(ROOT).parts
        part = f"services.{rest[0]}" if top == "services" else top
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == BASE[:-1]:
                for name in node.names:
                    found[name.name].add(part)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(BASE):
                found[str(node.module).removeprefix(BASE)].add(part)
    return found


def test_every_module_has_two_users_or_serves_the_others() -> None:
    folder = ROOT / "services" / "base"
    modules = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for path in folder.rglob("*.py")
        if path.name != "__init__.py"
    }
    used = users()
    lonely = {name for name in modules if len(used[name]) < 2 and used[name] != {"services.base"}}
    assert lonely <= STAY.keys()
