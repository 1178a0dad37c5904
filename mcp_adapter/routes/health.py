"""/healthz and /readyz."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from mcp_adapter.dispatch_client import DispatchClient
from mcp_adapter.http.envelope import Exchange
from services.base.errors import PapermeshError
from services.base.signed_client import Person

router = APIRouter(tags=["health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Response:
    """Answers 200 as long as the process can answer at all, and depends on nothing else."""
    return JSONResponse({"ok": True})


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", summary="Is the adapter ready for calls?")
async def readyz(request: Request) -> Response:
    """Answers 200 once callers can be identified and the mesh has answered a signed call.

    From then on it stays 200. While the mesh is away, callers get a typed UNAVAILABLE from here, which tells them more
    than a refused connection.
    """
    state = request.app.state
    if not state.ready:
        client: DispatchClient = state.dispatch
        try:
            if state.people is not None:
                state.people.check_ready()
            # No actor: the adapter asks for itself, not for a person.
            await client.list_actions(Person("", Exchange.of(request).traceparent))
        except PapermeshError as error:
            return JSONResponse({"ok": False, "waiting_for": str(error)}, status_code=503)
        state.ready = True
    return JSONResponse({"ok": True})
