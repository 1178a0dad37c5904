"""What grpc must find in the environment, in a process that has imported the base before it."""

import os
import subprocess
import sys

from deploy.local.parts import _GRPC_EXPERIMENTS

STARTS_PROCESSES = """
import services.base
import asyncio, grpc, uvloop

async def serve():
    server = grpc.aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for _ in range(20):
            calls = [asyncio.ensure_future(channel.unary_unary("/no/method")(b"").code()) for _ in range(4)]
            process = await asyncio.create_subprocess_exec("true")
            await process.wait()
            await asyncio.gather(*calls)
    await server.stop(None)

uvloop.run(serve())
"""


def test_a_process_that_serves_starts_others_without_grpc_standing_still() -> None:
    """grpc says so at every fork that it would have held up, had its threads been idle."""
    environment = os.environ | {"GRPC_EXPERIMENTS": _GRPC_EXPERIMENTS}
    environment.pop("GRPC_ENABLE_FORK_SUPPORT", None)
    done = subprocess.run(
        [sys.executable, "-c", STARTS_PROCESSES],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "fork" not in done.stderr
