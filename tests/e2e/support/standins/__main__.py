"""Runs the stand-in: `python -m tests.e2e.support.standins`, with its settings in the environment."""

from pathlib import Path

import uvloop
from google.protobuf import descriptor_pool
from pydantic import Field

from services.base import actions, telemetry
from services.base.server import Hosted, Server, ServerSettings
from services.base.settings import CommaList, Port
from services.base.starting import make_folder, starting
from tests.e2e.support.standins.contract import SERVICE
from tests.e2e.support.standins.diary import Diary
from tests.e2e.support.standins.failing import Failing
from tests.e2e.support.standins.servicer import StandinServicer


class StandinSettings(ServerSettings):
    """What the stand-in reads from its environment."""

    standin_port: Port = Field(9190, description="Port that the stand-in listens on.")
    standin_descriptors: CommaList = Field(description="The file with its descriptor set.")
    standin_engine: str = Field("standin-1", description="Version of its engine, part of every cached result's key.")
    work_dir: Path = Field(description="Folder where it is told what to do, and writes down what it did.")


async def run(settings: StandinSettings) -> None:
    """Serves until SIGTERM."""
    make_folder(settings.work_dir)
    diary = Diary(settings.work_dir)
    table = actions.load(*map(Path, settings.standin_descriptors))
    hosted = [Hosted(descriptor_pool.Default().FindServiceByName(SERVICE), StandinServicer(table, diary))]
    server = Server(
        settings, settings.standin_port, hosted, table=table, behind_mesh=True, engine=settings.standin_engine
    )
    # Behind the kit's own handlers and its guard: who may call is tested with the other methods.
    server._server.add_generic_rpc_handlers([Failing(table.actions["STANDIN_FAIL"], diary)])
    await server.serve()


def main() -> None:
    """Reads the settings and runs."""
    with starting("standin"):
        settings = StandinSettings.read()
        telemetry.start_logging("standin", settings.log_level)
        uvloop.run(run(settings))


if __name__ == "__main__":
    main()
