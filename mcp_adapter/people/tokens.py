"""JSON Web Tokens of an OpenID issuer (RFC 7519), checked as RFC 8725 and RFC 9068 advise."""

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import jwt

from mcp_adapter.people.actors import is_actor
from mcp_adapter.people.bearer import invalid_token
from mcp_adapter.people.issuer import Issuer
from mcp_adapter.people.key_set import ALGORITHMS, KeySet

LEEWAY_S = 60
"""Seconds by which the issuer's clock may differ from ours."""

_MAX_REMEMBERED = 4096
_REQUIRED = ["exp", "iat", "iss", "aud"]

_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""The types that a token may have. An issuer signs other things with the same keys, such as a logout token."""

_REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "This token has expired. Get another from the issuer."),
    (jwt.ImmatureSignatureError, "This token is not valid yet. Check the clocks."),
    (jwt.InvalidAudienceError, "This token is for another audience."),
    (jwt.InvalidIssuerError, "This token is from another issuer."),
    (jwt.MissingRequiredClaimError, f"This token lacks one of {', '.join(_REQUIRED)}."),
)
_NO_TOKEN = "This token cannot be trusted here."  # noqa: S105 - a sentence


@dataclass(frozen=True, slots=True)
class _Known:
    """A token that was checked."""

    actor: str
    expires: float
    """Seconds since 1970, the leeway included."""


class Tokens:
    """Checks tokens, and remembers good ones until they expire or the issuer's keys change."""

    def __init__(self, issuer: Issuer, audience: str, actor_claim: str) -> None:
        """Accepts tokens from `issuer` for `audience`, whose claim `actor_claim` names the actor."""
        self._issuer = issuer
        self.check_ready, self.watch = issuer.check_ready, issuer.watch
        self._audience = audience
        self._actor_claim = actor_claim
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._known_by: KeySet | None = None

    async def actor(self, credential: str) -> str:
        """The actor that the issuer gave this token to.

        Raises:
            PapermeshError: UNAUTHENTICATED, saying what is wrong with the token; UNAVAILABLE while there are no keys
                of the issuer.
        """
        digest = hashlib.sha256(credential.encode()).digest()
        if self._known_by is not self._issuer.keys:  # a token may depend on a key that is no longer among them
            self._known.clear()
            self._known_by = self._issuer.keys
        known = self._known.get(digest)
        if known is not None and time.time() < known.expires:
            self._known.move_to_end(digest)
            return known.actor
        claims = await self._claims(credential)
        known = _Known(self._actor(claims), int(claims["exp"]) + LEEWAY_S)
        if self._known_by is self._issuer.keys:
            self._known[digest] = known
            if len(self._known) > _MAX_REMEMBERED:
                self._known.popitem(last=False)
        return known.actor

    async def _claims(self, token: str) -> dict[str, Any]:
        """The claims in a token."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            raise invalid_token(_NO_TOKEN) from None
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise invalid_token(f"This token is not signed with one of {', '.join(ALGORITHMS)}.")
        if str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise invalid_token("By its typ, this is not an access token.")
        key = await self._issuer.find(header.get("kid"), algorithm)
        if key is None:
            raise invalid_token("The issuer does not have the key that this token names.")
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],  # in our list, and the only one that the key was taken for
                audience=self._audience,
                issuer=self._issuer.name,
                leeway=LEEWAY_S,
                options={"require": _REQUIRED, "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            reasons = (reason for kind, reason in _REASONS if isinstance(error, kind))
            raise invalid_token(next(reasons, _NO_TOKEN)) from None

    def _actor(self, claims: dict[str, Any]) -> str:
        actor = claims.get(self._actor_claim)
        if not isinstance(actor, str) or not is_actor(actor):
            raise invalid_token(f"This token has no {self._actor_claim} that names a caller.")
        if self._actor_claim == "email" and claims.get("email_verified") is not True:
            raise invalid_token("The issuer has not verified the email of this token.")
        return actor
