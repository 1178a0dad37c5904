"""How well the text of a long document is read, against a text that people have checked."""

from pathlib import Path

from rapidfuzz.distance import Indel

from tests.e2e.support.deployment import Deployment

GOOD = 0.955


def test_a_long_document_reads_as_people_have_written_it_down(mesh: Deployment, corpus: Path) -> None:
    answer = mesh.adapter.ask("PDF_TEXT", corpus / "text" / "geotopo.pdf")

    assert [item["page"] for item in answer.data["items"]] == list(range(1, 118))
    assert answer.data["failures"] == []
    read = " ".join(" ".join(item["text"] for item in answer.data["items"]).split())
    truth = " ".join((corpus / "text" / "geotopo.txt").read_text(encoding="utf-8").split())
    similarity = Indel.normalized_similarity(read, truth)
    print(f"geotopo.pdf, 117 pages: similarity {similarity:.4f}, {answer.meta['latency_ms']} ms")  # noqa: T201 - a figure
    assert similarity >= GOOD
