"""The command `sign`: one signed call as a grpcurl command line."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import arguments, locations, options
from cli.failures import UsageError, reported
from cli.terminal import harmless_json, note, write
from services.base import signature
from services.base.names import ACTION_RULE, is_action

if TYPE_CHECKING:
    from papermesh.dispatch.v1 import dispatch_service_pb2 as pb

_METHOD = "papermesh.dispatch.v1.DispatchService/Invoke"


def sign(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="Name of the action.", show_default=False)],
    words: options.Words = None,
    *,
    args: options.ArgsJson = None,
    client: Annotated[str, typer.Option(help="Who signs: the name of its key and its certificate.")] = "operator",
    certs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with ca.crt, tls.crt and tls.key. Default: var/certs/CLIENT."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File with the signing key. Default: var/secrets/CLIENT.json.")
    ] = None,
    edge: Annotated[
        str | None,
        typer.Option(
            envvar="PAPERMESH_EDGE_ADDRESS",
            metavar="HOST:PORT",
            help="Envoy's edge. Default: localhost:8443, or the port in PAPERMESH_EDGE_PORT.",
        ),
    ] = None,
    audience: Annotated[
        str, typer.Option(envvar="PAPERMESH_AUDIENCE", help="Name of the deployment that the call is for.")
    ] = "laptop",
    url: options.Url = None,
) -> None:
    """Print one signed call as a grpcurl command.

    The call bypasses the adapter and goes to Envoy. It works once, as pasted; after that it is refused as a replay.
    Local files, and documents uploaded through the adapter, are first stored for the signing client.

    papermesh sign PDF_METADATA report.pdf
    """
    with reported():
        if not is_action(action):
            raise UsageError(f"ACTION must be the name of an action, {ACTION_RULE}. `papermesh actions` lists them.")
        given, rest = arguments.split(words or (), args)
        signer = _key(key or locations.key_file(client))
        tls_dir = _tls_dir(certs or locations.certificate_folder(client))
        address = locations.edge_address(edge)
        filled = given
        if rest or arguments.digests(given):
            import asyncio

            from cli.direct import Mesh, prepare

            mesh = Mesh(address, tls_dir, signer, audience)
            filled = asyncio.run(prepare(mesh, action, rest, given, locations.adapter_url(url)))
        write(command_line(action, filled, key=signer, audience=audience, edge=address, tls_dir=tls_dir))


def command_line(
    action: str, args: dict[str, Any], *, key: signature.Key, tls_dir: Path, edge: str, audience: str
) -> str:
    """A shell command for one call, valid within the clock skew.

    Raises:
        PapermeshError: BAD_ARG for arguments that no call can carry.
    """
    from services.base.canonical import canonical_json
    from services.base.channel import MAX_RESPONSE_BYTES

    text = canonical_json(request(action, args))
    signed = signature.sign(
        client=key.client, secret=key.secret, audience=audience, method=f"/{_METHOD}", request=text, action=action
    )
    return shlex.join(
        [
            _grpcurl(),
            *("-cacert", str(tls_dir / "ca.crt"), "-cert", str(tls_dir / "tls.crt"), "-key", str(tls_dir / "tls.key")),
            *(word for name, value in signed for word in ("-H", f"{name}: {value}")),
            *("-max-msg-sz", str(MAX_RESPONSE_BYTES)),  # its own limit is below the largest result
            *("-d", harmless_json(text.decode())),
            edge,
            _METHOD,
        ]
    )


def request(action: str, args: dict[str, Any]) -> "pb.InvokeRequest":
    """The message that the printed command sends."""
    from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
    from services.base.canonical import check_json, json_to_struct

    message = pb.InvokeRequest(action=action)
    message.args.SetInParent()
    json_to_struct(check_json(args), message.args)
    return message


def _key(file: Path) -> signature.Key:
    try:
        return signature.read_key_file(file)
    except signature.KeyFileError as error:
        raise UsageError(f"{error} `papermesh up` makes the keys of this machine; --key names another file.") from None


def _tls_dir(folder: Path) -> Path:
    """The folder's absolute path: the line may be pasted anywhere. Links stay, as renewing replaces their targets."""
    from services.base.tls_files import TlsFiles

    absolute = Path(os.path.abspath(folder))  # noqa: PTH100  # Path.resolve would follow the links
    try:
        TlsFiles.read(absolute).check(absolute)
    except OSError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}. `papermesh certs` makes it; --certs names another folder."
        ) from None
    return absolute


def _grpcurl() -> str:
    """How to run grpcurl: by its name or, if only this environment has one, by its path."""
    if shutil.which("grpcurl"):
        return "grpcurl"
    own = Path(sys.prefix, "go", "bin", "grpcurl")
    if own.exists():
        return str(own)
    note("grpcurl is not on the PATH: https://github.com/fullstorydev/grpcurl#installation")
    return "grpcurl"
