"""Documents with one damage each through every action: an answer or a typed error, and never a crash of a worker."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from benchmarks.damage import damaged
from services.base.errors import Code, PapermeshError
from services.pdf.operations import OPERATIONS, STEPS
from services.pdf.processes.kinds import MODEL, OCR, Kind
from services.pdf.processes.pools import Pools
from services.pdf.processes.subject import Subject
from tests.services.pdf.support import make_engine

CASES = sorted(Path(__file__).with_name("cases").glob("*.pdf"))
DOCUMENTS = 2000 if os.environ.get("PAPERMESH_SOAK") else 40
ASKED = {"text": {"include_hidden": True}, "search": {"query": "the"}, "tables": {"csv": True, "html": True}}
ITS_FAULT = (Code.BAD_ARG, Code.TOO_LARGE)


@pytest.mark.soak
@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_every_damaged_document_is_answered_or_refused(tmp_path: Path, subject: Callable[..., Subject]) -> None:
    path = tmp_path / "damaged.pdf"
    kinds = [Kind(size=2), *(Kind(name=name, missing="It is not here.") for name in (OCR, MODEL))]
    async with Pools(kinds, [*OPERATIONS, *STEPS], tmp_path / "work") as pools:
        engine = make_engine(pools)
        for name, content in damaged(CASES, DOCUMENTS):
            path.write_bytes(content)
            for operation in OPERATIONS:
                request = GetMessageClass(operation.method.input_type)(**ASKED.get(operation.name, {}))
                try:
                    answer = await engine.answer(operation, request, subject(path), 30)
                except PapermeshError as error:
                    assert error.code in ITS_FAULT, f"{name}, {operation.name}: {error}"  # noqa: PT017  # most are answered
                else:
                    json_format.Parse(answer.json, GetMessageClass(operation.method.output_type)())


def test_the_same_seed_makes_the_same_documents_and_another_makes_others() -> None:
    first = list(damaged(CASES, 20))
    assert list(damaged(CASES, 20)) == first
    assert [content for _, content in damaged(CASES, 20, seed=1)] != [content for _, content in first]
