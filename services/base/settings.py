"""Settings from the environment: validated at start, with one clear sentence for each that is wrong.

Every setting is an environment variable `PAPERMESH_<NAME>`. A service declares its own by subclassing `Settings`; each
field carries a description, which docs/settings.md and the error message show.
"""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.base.setting_kinds import TlsFolder

Port = Annotated[int, Field(ge=1, le=65535)]


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Several values in one variable, separated by commas."""


class SettingsError(Exception):
    """The environment does not hold what a part needs; the text is for the person who starts it."""


class Settings(BaseSettings):
    """What every part of the mesh reads from its environment."""

    model_config = SettingsConfigDict(env_prefix="PAPERMESH_", frozen=True, extra="ignore", env_ignore_empty=True)

    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = Field(
        "INFO", description="Least severe log line to write: DEBUG, INFO, WARNING or ERROR."
    )

    @classmethod
    def read(cls, **overrides: Any) -> Self:
        """Reads the environment; `overrides` win over it.

        Raises:
            SettingsError: with a line for every variable that is missing or wrong.
        """
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise SettingsError("\n".join(cls._sentence(dict(item)) for item in error.errors())) from None

    @classmethod
    def _sentence(cls, item: dict[str, Any]) -> str:
        """One line: the variable, what is wrong, what it is for. Never its value, which may be secret."""
        name = str(item["loc"][0]) if item["loc"] else ""
        variable = f"PAPERMESH_{name.upper()}" if name else "The settings"
        described = cls.model_fields[name].description if name in cls.model_fields else None
        said = item["msg"].removeprefix("Value error, ")
        problem = "is not set" if item["type"] == "missing" else f"is wrong: {said}"
        return f"{variable} {problem}. {described or ''}".rstrip()


class WorkloadSettings(Settings):
    """What every workload that holds a certificate reads besides."""

    tls_dir: TlsFolder = Field(
        description="Folder with this workload's tls.crt and tls.key, and ca.crt, the certificates it trusts."
    )
    namespace: str = Field(
        "default",
        pattern="^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="The namespace in every SPIFFE id, spiffe://papermesh/ns/<namespace>/sa/<workload>.",
    )
