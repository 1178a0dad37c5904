"""A process that writes an audit log until it is ended: python -m tests.support.audit_writer FOLDER KEY_FILE REDIS."""

import asyncio
import sys
from pathlib import Path

from services.base.audit_chain import read_key
from services.base.call import Call, Ended
from services.base.redis.link import RedisLink
from services.dispatch.audit.audit import Audit, Heads


async def write(folder: Path, key_file: Path, redis: str) -> None:
    link = RedisLink(redis)
    audit = Audit(folder, "dispatch", read_key(key_file), Heads(link, keep_days=1))
    await audit.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(audit.run())
        while True:
            call = Call("/papermesh.dispatch.v1.DispatchService/Invoke", (), "r", 1.0, "", {"client": "adapter"})
            audit.record(Ended(call, "OK", 0.001, 100))
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
