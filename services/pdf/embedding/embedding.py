"""Texts as vectors for whoever asks: which model reads them, and where."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from services.base.errors import Code, PapermeshError, bad_field
from services.pdf.embedding import endpoint as endpoints
from services.pdf.embedding.endpoint import Endpoint
from services.pdf.embedding.models import INSTALL, Model, Role, install
from services.pdf.embedding.vectors import NoVectorError, Vectors, cut
from services.pdf.operations import EMBED
from services.pdf.processes import outcomes
from services.pdf.processes.kinds import MODEL
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject

_CHARACTERS = 8_000
"""What a worker reads in one go, unless one text alone has more: others get their turn in between."""


class Embedding:
    """Makes vectors with the model workers of `pools`, or with an `endpoint` if there is one."""

    def __init__(self, pools: Pools, models: Mapping[str, Model], endpoint: Endpoint | None) -> None:
        """`models` are those that are installed, by name."""
        self._pools = pools
        self._models = models
        self._endpoint = endpoint

    async def aclose(self) -> None:
        """Closes the connections to the endpoint."""
        if self._endpoint is not None:
            await self._endpoint.aclose()

    async def vectors(self, texts: Sequence[str], model: str, role: Role, subject: Subject, deadline: float) -> Vectors:
        """The vectors of texts, in their order; `subject` is whose call it is, and what document they are of.

        `model` is the name of one: if empty, the first that is installed, or else the endpoint. `deadline` is a time
        of the loop's clock. Raises PapermeshError: BAD_ARG for a `model` that is not here, ENGINE_FAIL if none is, and
        what workers (`WorkerPool.run`) and the endpoint (`Endpoint.vectors`) do.
        """
        chosen = self.choose(model)
        if isinstance(chosen, Endpoint):
            return await chosen.vectors(texts, role, deadline)
        return await self._by_workers(chosen, texts, role, subject, deadline)

    def choose(self, name: str) -> Model | Endpoint:
        """The model of this name, as `vectors` takes it; raises BAD_ARG and ENGINE_FAIL."""
        found: dict[str, Model | Endpoint] = dict(self._models)
        if self._endpoint is not None:
            found[endpoints.NAME] = self._endpoint
        if not name and not found:
            message = f"No model for embeddings is installed; {INSTALL}."
            raise PapermeshError(Code.ENGINE_FAIL, message, details={"reason": "not_available"})
        if name and name not in found:
            raise bad_field("model", _lacking(name, found))
        return found[name] if name else next(iter(found.values()))

    async def _by_workers(
        self, model: Model, texts: Sequence[str], role: Role, subject: Subject, deadline: float
    ) -> Vectors:
        pool = await self._pools.of(MODEL, deadline)
        rows: list[bytes] = []
        for batch in _batches(texts):
            asked = {"model": model.name, "texts": batch, "role": role}
            answer = await pool.run(EMBED.name, asked, subject, deadline, admitted=bool(rows))
            try:
                rows += cut(answer.payload, model.dimension, len(batch))
            except NoVectorError:
                raise outcomes.engine_failed("crash") from None
        return Vectors(model.id, model.dimension, rows)


def models_version(models: Mapping[str, Model], endpoint: Endpoint | None) -> str:
    """Differs whenever a text may become another vector. Eight characters, for the engine's version."""
    found = [model.id for model in models.values()] + ([endpoint.address, endpoint.id] if endpoint else [])
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:8]


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts, in order, as lists of at most `_CHARACTERS` or of one text."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        if batch and characters + len(text) > _CHARACTERS:
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _lacking(name: str, found: Mapping[str, object]) -> str:
    here = f"this installation has {', '.join(found)}" if found else "this installation has none"
    bring = install(name)
    return f"there is no model {name} here; {here}" + (f", and {bring} brings it" if bring else "")
