from tests.services.pdf.embedding.conftest import serve

__all__ = ["serve"]
