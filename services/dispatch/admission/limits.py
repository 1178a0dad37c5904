"""The token buckets that a call takes from: the whole client's, and the client and actor's for what is called."""

from collections.abc import Mapping

from services.base.actions import Action, Method, Rate
from services.base.errors import CLIENT_RATE
from services.dispatch.admission.state import Bucket, owner
from services.dispatch.admission.verification import Caller


class Limits:
    """The rates of one deployment, before its scale."""

    def __init__(self, client_rate: Rate, methods: Mapping[str, Method]) -> None:
        """Limits calls with these rates.

        Args:
            client_rate: The rate of all of a client's calls, unless its entry says otherwise.
            methods: The methods of the mesh by path; each of dispatch's has a rate.
        """
        self._client_rate = client_rate
        self._methods = methods

    def of_client(self, caller: Caller) -> list[Bucket]:
        """The bucket of the whole client."""
        override = caller.client.rate
        rate = Rate(override.requests_per_minute, override.burst) if override else self._client_rate
        return [Bucket(caller.client.id, rate, CLIENT_RATE)]

    def of_action(self, caller: Caller, action: Action) -> list[Bucket]:
        """The buckets of a call of an action."""
        return [*self.of_client(caller), _own(caller, action.name, action.rate)]

    def of_method(self, caller: Caller, path: str) -> list[Bucket]:
        """The buckets of a call of a method that is not an action."""
        rate = self._methods[path].rate
        buckets = self.of_client(caller)
        return buckets if rate is None else [*buckets, _own(caller, path.rsplit("/", 1)[-1], rate)]


def _own(caller: Caller, name: str, rate: Rate) -> Bucket:
    override = caller.client.rates.get(name)
    if override:
        rate = Rate(override.requests_per_minute, override.burst)
    return Bucket(f"{owner(caller)}\x1f{name}", rate)
