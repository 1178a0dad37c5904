"""From an action to its service, while what stands in between is started again."""

from pathlib import Path

import pytest

from papermesh.pdf.v1 import pdf_service_pb2
from services.base import actions
from services.base.call import Call
from services.base.channel import open_channel
from services.base.errors import Code, PapermeshError
from services.base.flow import NOBODY
from services.base.server import Hosted, Server, ServerSettings
from services.dispatch.router import Router
from tests.support.clients import SERVICE
from tests.support.ports import free_port
from trust.certificates import ensure

PDF = pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"]


class Pdf:
    async def GetMetadata(self, _: pdf_service_pb2.GetMetadataRequest, __: Call) -> pdf_service_pb2.GetMetadataResponse:
        return pdf_service_pb2.GetMetadataResponse(json="{}")


async def asked(router: Router) -> str:
    call = Call(f"{SERVICE}/Invoke", (), "r-1", 10, "")
    request = pdf_service_pb2.GetMetadataRequest()
    return (await router.call(router.action("PDF_METADATA"), request, call, NOBODY, 10)).json


async def test_a_call_waits_for_a_mesh_that_is_just_coming_back(tmp_path: Path) -> None:
    ensure(tmp_path, "default", ["envoy"])
    tls_dir, port, table = tmp_path / "envoy", free_port(), actions.load()
    async with open_channel(f"localhost:{port}", tls_dir) as channel:
        router = Router(channel, table.listed([PDF.full_name]))
        with pytest.raises(PapermeshError) as caught:
            await asked(router)
        assert caught.value.code is Code.UNAVAILABLE
        settings = ServerSettings.read(tls_dir=tls_dir, bind_host="127.0.0.1", drain_s=1)
        server = Server(settings, port, [Hosted(PDF, Pdf())], table=table, behind_mesh=True)
        await server.start()
        assert await asked(router) == "{}"
        await server.stop()
