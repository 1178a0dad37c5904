"""The command `documents`: what one has uploaded."""

import json

from cli import options
from cli.calls import open_adapter
from cli.failures import reported
from cli.terminal import harmless, note, out, table_of, write_json

_AT_ONCE = 1000


def documents(*, as_json: options.Json = False, url: options.Url = None) -> None:
    """List your uploads, the newest first.

    papermesh documents
    """
    with reported(as_json=as_json), open_adapter(url) as adapter:
        found, token = [], ""
        while True:
            page = adapter.documents(_AT_ONCE, token).data
            found += page["documents"]
            token = page["next_page_token"]
            if not token:
                break
        if as_json:
            write_json(json.dumps(found, ensure_ascii=False, indent=2))
            return
        table = table_of()
        table.add_column("sha256", no_wrap=True, min_width=64)  # whole, to be pasted
        table.add_column("last used", overflow="fold")
        table.add_column("counts bytes", justify="right", overflow="fold")
        for each in found:
            used = harmless(each["use_time"])[:16].replace("T", " ")
            table.add_row(harmless(each["doc_ref"]["sha256"]), used, f"{each['charged_bytes']:,}")
        out().print(table)
        note(f"{len(found)} documents; times are UTC")
