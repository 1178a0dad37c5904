"""docs/settings.md, written from the settings themselves: `python -m deploy.settings_page > docs/settings.md`."""

import sys

from pydantic.fields import FieldInfo

from mcp_adapter.settings import AdapterSettings
from services.base.settings import Settings
from services.dispatch.settings import DispatchSettings
from services.pdf.settings import PdfSettings

_PARTS: dict[str, type[Settings]] = {"dispatch": DispatchSettings, "pdf": PdfSettings, "adapter": AdapterSettings}

_HEAD = """\
# Settings

Every setting is an environment variable, read and checked at start; one that is missing or wrong ends the start with a
sentence that names it. `make up` sets what has no default. This page is written by `make gen`.
"""


def page() -> str:
    """The page as Markdown."""
    return _HEAD + "".join(_section(part, settings) for part, settings in _PARTS.items())


def _section(part: str, settings: type[Settings]) -> str:
    rows = "".join(
        f"| `PAPERMESH_{name.upper()}` | {_default(field)} | {field.description} |\n"
        for name, field in settings.model_fields.items()
    )
    return f"\n## {part}\n\n| variable | default | meaning |\n|---|---|---|\n{rows}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default_factory is not None:
        return "of the machine"
    if field.default is None:
        return "none"
    value = ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)
    return f"`{value}`" if value else "none"


if __name__ == "__main__":
    sys.stdout.write(page())
