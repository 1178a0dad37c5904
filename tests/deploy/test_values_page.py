from typing import Any

import pytest
import yaml

from deploy.values_page import CHART, page, values

TEXT = (CHART / "values.yaml").read_text(encoding="utf-8")


def test_the_charts_readme_says_what_its_values_are() -> None:
    assert (CHART / "README.md").read_text(encoding="utf-8") == page(), "the chart's README is stale: run make gen"


def _paths(node: Any, path: str = "") -> list[str]:
    """The paths of whatever has no parts."""
    if not isinstance(node, dict) or not node:
        return [path]
    return [each for name, value in node.items() for each in _paths(value, f"{path}.{name}" if path else name)]


def test_every_value_is_on_it_alone_or_in_one_row_with_what_belongs_to_it() -> None:
    rows = tuple(value.path for value in values(TEXT) if value.default)
    for path in _paths(yaml.safe_load(TEXT)):
        assert f"{path}.".startswith(tuple(f"{row}." for row in rows)), path


def test_a_value_without_a_comment_is_refused_by_its_path() -> None:
    with pytest.raises(ValueError, match=r"values\.yaml says nothing about drain\.seconds: write a comment above it\."):
        list(values("# What.\ndrain:\n  seconds: 1\n"))


def test_a_comment_of_several_lines_is_one_text() -> None:
    (group, value) = values("# -- Ends ---\n\n# How pods\n# leave.\ndrain:\n  # A while.\n  wait: {s: 1}\n")
    assert (group.path, group.comment, group.default, group.section) == ("drain", "How pods leave.", "", "Ends")
    assert (value.path, value.comment, value.default) == ("drain.wait", "A while.", "{s: 1}")


def test_what_every_pod_has_is_explained_once() -> None:
    text = "# A.\na:\n  # Labels of nodes.\n  nodeSelector: {}\n# B.\nb:\n  nodeSelector: {}\n"
    assert [value.comment for value in values(text) if value.default] == ["Labels of nodes."] * 2
    with pytest.raises(ValueError, match=r"says nothing about b\.size"):
        list(values("# A.\na:\n  # How much.\n  size: 1Gi\n# B.\nb:\n  size: 1Gi\n"))
