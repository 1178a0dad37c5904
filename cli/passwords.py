"""A document's password: out of a file or from whoever sits there, since everybody can read command lines."""

import sys
from getpass import getpass
from pathlib import Path

from cli.failures import UsageError

_MOST_CHARACTERS = 4096
"""What is read of a file without a line's end, which is not one of passwords."""


def read(file: str) -> str:
    """The first line of a file; for "-" of standard input, which does not show it if it is a terminal.

    Raises:
        UsageError: when it cannot be read, or is empty.
    """
    try:
        password = _line(file)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not text in UTF-8.") from None
    except EOFError:
        password = ""
    if not password:
        raise UsageError("The password is empty.")
    return password


def _line(file: str) -> str:
    if file == "-" and sys.stdin.isatty():
        return getpass("Password of the document: ")
    if file == "-":
        return sys.stdin.readline(_MOST_CHARACTERS).rstrip("\r\n")
    with Path(file).open(encoding="utf-8-sig") as opened:
        return opened.readline(_MOST_CHARACTERS).rstrip("\r\n")
