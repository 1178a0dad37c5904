"""The epoch of Redis's state role. A call signed no later is refused, since it may have been made before.

A Redis that lost its data, by FLUSHALL or a fail-over to an empty replica, has also forgotten nonces. Its epoch, the
key `epoch`, is lost with them, and it gets a new one (docs/decisions/0018-the-state-redis.md).
"""

import logging
from importlib.resources import files

from services.base.errors import Code, PapermeshError

KEY = "epoch"
"""The Redis key: a second since 1970, by Redis's clock."""

EPOCH_OF = files(__package__).joinpath("epoch.lua").read_text()
"""A Lua function that returns the epoch; goes in front of scripts that need it."""

_log = logging.getLogger(__name__)


class Epoch:
    """The epoch as one replica knows it; tells the operator when it changes."""

    def __init__(self) -> None:
        """Knows none yet."""
        self._known: int | None = None

    @property
    def known(self) -> int | str:
        """The second since 1970, or "" while none is known; an argument for scripts."""
        return "" if self._known is None else self._known

    def learn(self, epoch: int, *, lost: bool = False) -> None:
        """Notes what Redis says.

        Args:
            epoch: The second since 1970.
            lost: It was made just now, after a loss.
        """
        if lost or self._known not in (None, epoch):
            _log.error(
                "Redis's state role has lost its data: nonces, idempotency records, who owns which upload. Calls signed"
                " before now are refused (state_lost). Find out why, then restore a backup or have documents uploaded"
                " again (docs/documents.md).",
                extra={"fields": {"epoch": epoch, "epoch_before": self._known}},
            )
        self._known = epoch


def state_lost(wait_ms: int) -> PapermeshError:
    """The answer to a call signed no later than the epoch; one signed in `wait_ms` will be later."""
    return PapermeshError(
        Code.UNAVAILABLE,
        "The record of earlier calls is lost, so this call may have been made before. Sign it again.",
        retry_after_ms=wait_ms,
        details={"reason": "state_lost"},
    )
