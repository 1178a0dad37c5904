"""Pages that could not be read: named in the result, which is valid without them."""

from typing import TypedDict


class PageFailure(TypedDict):
    """One page and why it is missing; `papermesh.pdf.v1.PageFailure` as JSON."""

    page: int
    reason: str
    message: str


def broken(page: int) -> PageFailure:
    """The page's content cannot be parsed."""
    return {"page": page, "reason": "BROKEN", "message": "The page's content cannot be parsed."}


def scan(page: int, why: str = "") -> PageFailure:
    """The page is a picture without a text layer; `why` it was not recognised, if nobody chose that."""
    message = "The page is a picture without a text layer."
    return {"page": page, "reason": "SCAN", "message": f"{message} {why}".strip()}


def too_large(page: int, message: str) -> PageFailure:
    """The page is over a limit, which the message names."""
    return {"page": page, "reason": "TOO_LARGE", "message": message}


def pending(page: int) -> PageFailure:
    """The page was not read in time."""
    message = "The page was not read before the deadline. The same call again goes on."
    return {"page": page, "reason": "PENDING", "message": message}
