"""What the commands of the hook Job have in common: their settings, and how they end."""

import logging
import os
import sys
from collections.abc import Callable
from typing import TypeVar

from pydantic import Field, field_validator

from deploy.kubernetes.api_server import ApiServer
from services.base import telemetry
from services.base.errors import OperatorError
from services.base.names import DNS_LABEL
from services.base.settings import CommaList, Settings

_Read = TypeVar("_Read", bound="JobSettings")


class JobSettings(Settings):
    """Where the Job works."""

    namespace: str = Field(
        pattern=DNS_LABEL,
        description="The namespace of the release, which also stands in every SPIFFE id.",
    )
    release: str = Field(
        pattern="^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$", description="What the name of every Secret begins with."
    )
    labels: CommaList = Field((), description="Labels of the Secrets that are made, name=value, separated by commas.")

    @field_validator("labels")
    @classmethod
    def _pairs(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if not all(name and equals for name, equals, _ in (label.partition("=") for label in labels)):
            raise ValueError("must be name=value")
        return labels

    def named(self, what: str) -> str:
        """The name of one of the release's Secrets."""
        return f"{self.release}-{what}"

    @property
    def label_map(self) -> dict[str, str]:
        """The labels by name."""
        return dict(label.split("=", 1) for label in self.labels)


def run(part: str, settings: type[_Read], job: Callable[[ApiServer, _Read], None]) -> None:
    """Runs a command of the Job. What a person can mend is told in a sentence, without a traceback.

    Args:
        part: What its log lines are called by.
        settings: What it reads from its environment.
        job: What it does.

    Raises:
        SystemExit: with the sentence and status 1; the Job then tries again, and its log has the sentence.
    """
    os.umask(0o077)
    telemetry.start_logging(part, "INFO")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # what was done is said once, and in our words
    try:
        read = settings.read()
        with ApiServer(read.namespace, read.label_map) as api:
            job(api, read)
    except OperatorError as error:
        sys.exit(str(error))
