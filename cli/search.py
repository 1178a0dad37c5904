"""The command `search`: where words stand in a document, one line a hit."""

from typing import Annotated, Any

import typer

from cli import options
from cli.calls import call, filled_in, open_adapter
from cli.failures import reported
from cli.terminal import harmless_value, note, out, waiting, write_json

ACTION = "PDF_SEARCH"


def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Words or a phrase to find.", show_default=False)],
    words: options.Words = None,
    *,
    regex: Annotated[bool, typer.Option("--regex", "-e", help="QUERY is a regular expression of RE2.")] = False,
    password_file: options.PasswordFile = None,
    as_json: options.Json = False,
    url: options.Url = None,
) -> None:
    """Find words in a document, and show where they stand.

    papermesh search "annual leave" policy.pdf max_hits=50
    """
    from cli.results import show_failures

    with reported(as_json=as_json), open_adapter(url) as adapter:
        args = filled_in(adapter, ACTION, words, None, password_file)
        with waiting("searching …"):
            answer = call(adapter, ACTION, {**args, "query": query, **({"mode": "regex"} if regex else {})})
        if as_json:
            write_json(answer.text)
            return
        found = harmless_value(answer.data)
        for hit in found["hits"]:
            _show(hit)
        from cli.results import show_failures

        show_failures(found["failures"])
        more = f"; for more: page_token={found['next_page_token']}" if found["next_page_token"] else ""
        least = "at least " if found["total_is_least"] else ""
        note(f"{len(found['hits'])} of {least}{found['total']} hits on pages {found['searched_pages']}{more}")


def _show(hit: dict[str, Any]) -> None:
    from rich.text import Text

    line = Text(f"{hit['page']}: ", style="dim")
    line.append(hit["before"], style="not dim")
    line.append(hit["text"], style="not dim bold")
    line.append(hit["after"], style="not dim")
    if hit["heading_path"]:
        line.append(f"  [{' > '.join(hit['heading_path'])}]")
    out().print(line)
