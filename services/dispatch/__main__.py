"""Runs dispatch: `python -m services.dispatch`, with its settings in the environment."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
from google.protobuf.message import DecodeError

from papermesh.dispatch.v1 import dispatch_service_pb2
from services.base import actions, audit_chain, telemetry
from services.base.actions import ActionTable, Rate
from services.base.blobs import BlobStore
from services.base.channel import open_channel
from services.base.redis.link import RedisLink
from services.base.server import Hosted, Server
from services.base.starting import StartError, make_folder, starting
from services.base.watched_file import WatchedFile
from services.dispatch import memory_pressure
from services.dispatch.admission import clients
from services.dispatch.admission.admission import Admission
from services.dispatch.admission.concurrency import ConcurrencyLimit
from services.dispatch.admission.limits import Limits
from services.dispatch.admission.replay_log import ReplayLog
from services.dispatch.admission.state import State
from services.dispatch.admission.verification import Verifier
from services.dispatch.answers.answers import Answers
from services.dispatch.answers.engines import Engines
from services.dispatch.answers.idempotency import Idempotency
from services.dispatch.answers.images import Images
from services.dispatch.answers.reports import Reports
from services.dispatch.answers.result_cache import ResultCache
from services.dispatch.answers.single_flight import SingleFlight
from services.dispatch.answers.stored_answers import StoredAnswers
from services.dispatch.audit.audit import Audit, Heads, has_calls
from services.dispatch.router import Router
from services.dispatch.servicer import DispatchServicer, UploadLimits
from services.dispatch.settings import DispatchSettings
from services.dispatch.uploads.listing import Listing
from services.dispatch.uploads.lost_documents import LostDocuments
from services.dispatch.uploads.ownership import Ownership, Quota
from services.dispatch.uploads.retention import Retention, remove_unfinished

_DAY_S = 86_400


async def run(settings: DispatchSettings) -> None:
    """Serves until SIGTERM."""
    table = _table(settings)
    make_folder(settings.spool_dir)
    make_folder(settings.audit_dir)
    remove_unfinished(settings.spool_dir, settings.blobs_url)
    listing = WatchedFile(settings.clients_file, clients.load)
    blobs = BlobStore(settings.blobs_url)
    async with AsyncExitStack() as ending:
        replay_log = ReplayLog(is_first_start=not has_calls(settings.audit_dir))
        state_link = RedisLink(settings.redis_state_url, on_connect=replay_log.replay)
        cache_link = RedisLink(settings.redis_cache_url)
        for link in (state_link, cache_link):
            ending.push_async_callback(link.close)
        channel = await ending.enter_async_context(open_channel(settings.mesh_address, settings.tls_dir))
        state = State(state_link, replay_log, settings.rate_scale)
        watch = memory_pressure.MemoryWatch(state_link)
        retention = Retention(state_link, blobs, settings.keep_days * _DAY_S)
        router, engines = Router(channel, table.listed(settings.services)), Engines(channel, settings.services)
        audit_key = audit_chain.read_key(settings.audit_key_file)
        audit = Audit(settings.audit_dir, settings.replica, audit_key, Heads(state_link, settings.audit_keep_days))
        limits = Limits(Rate(settings.client_requests_per_minute, settings.client_burst), table.methods)
        concurrency = ConcurrencyLimit(settings.calls_at_once, settings.client_calls_at_once)
        idempotency = Idempotency(state_link, replay_log, StoredAnswers(blobs, settings.spool_dir))
        lost_documents = LostDocuments(state_link, blobs)
        servicer = DispatchServicer(
            admission=Admission(audit, Verifier(settings.audience, listing), limits, state, router),
            router=router,
            answers=Answers(
                router,
                engines,
                ResultCache(cache_link),
                SingleFlight(cache_link),
                concurrency,
                scope=settings.cache_scope,
            ),
            idempotency=idempotency,
            images=Images(blobs, router, concurrency, lost_documents),
            reports=Reports(blobs, channel, router, concurrency, lost_documents),
            blobs=blobs,
            ownership=Ownership(state_link, blobs, Quota(settings.quota_bytes, settings.quota_documents)),
            listing=Listing(state_link),
            lost_documents=lost_documents,
            concurrency=concurrency,
            upload_limits=UploadLimits(settings.spool_dir, settings.max_document_bytes),
        )
        hosted = [Hosted(dispatch_service_pb2.DESCRIPTOR.services_by_name["DispatchService"], servicer)]
        server = Server(settings, settings.dispatch_port, hosted, table=table, behind_mesh=False, on_end=[audit.record])

        async def is_ready() -> bool:
            return await state.answers() and audit.healthy

        await audit.start()
        ending.push_async_callback(audit.stop)
        async with asyncio.TaskGroup() as tasks:
            background = [
                tasks.create_task(each)
                for each in (listing.watch(), engines.run(), audit.run(), retention.run(), watch.run())
            ]
            await server.serve(is_ready)
            await idempotency.settle(settings.drain_s)
            for task in background:
                task.cancel()


def _table(settings: DispatchSettings) -> ActionTable:
    """The action table, with every service that the settings name: a mistyped name would list no action."""
    try:
        table = actions.load(*map(Path, settings.descriptors))
    except DecodeError:
        raise StartError("PAPERMESH_DESCRIPTORS is wrong: one of its files is not a descriptor set.") from None
    known = {method.service for method in table.methods.values()}
    if unknown := sorted(set(settings.services) - known):
        raise StartError(f"PAPERMESH_SERVICES is wrong: no descriptor set has {', '.join(unknown)}.")
    return table


def main() -> None:
    """Reads the settings and runs."""
    with starting("dispatch"):
        settings = DispatchSettings.read()
        telemetry.start_logging("dispatch", settings.log_level)
        uvloop.run(run(settings))


if __name__ == "__main__":
    main()
