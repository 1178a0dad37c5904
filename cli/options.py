"""Options that several commands share."""

from typing import Annotated

import typer

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="PAPERMESH_URL",
        metavar="URL",
        help="The adapter's address. Default: http://127.0.0.1:9000, or the port in PAPERMESH_HTTP_PORT.",
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print the answer's JSON and nothing else.")]

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE|KEY=VALUE",
        help="Files fill the arguments that are documents. KEY=VALUE sets any argument: pages=1-3. A key with dots"
        " reaches into objects. One word may be a JSON object with all arguments.",
        show_default=False,
    ),
]

PasswordFile = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="Its first line opens documents that are encrypted; with - you are asked for it."
    ),
]

ArgsJson = Annotated[
    str | None, typer.Option("--args", metavar="JSON", help="The arguments as a JSON object; words add to it.")
]
