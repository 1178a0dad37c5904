"""Landlock: the kernel's limits on what a process may reach, which it can impose on itself without any privilege."""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Mapping

from services.pdf.worker.sandbox.syscalls import (
    LANDLOCK_ADD_RULE,
    LANDLOCK_CREATE_RULESET,
    LANDLOCK_RESTRICT_SELF,
    syscall,
)

EXECUTE = 1 << 0
"""Running a file, also as another program's ELF interpreter."""

_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3

READ = _READ_FILE | _READ_FOLDER

_OF_FILES = EXECUTE | _READ_FILE
"""The rights that a rule about a file may give; the other is a folder's."""

Grants = Mapping[str, int]
"""Files and folders by their paths, and the rights to each and to all below it."""

_QUERY_VERSION = 1
_PATH_BENEATH = 1

_FIRST_FILE_RIGHTS = 13
"""File rights of the first version; later versions added one each, as below."""

_ADDED_FILE_RIGHTS = {2: 1, 3: 1, 5: 1}  # refer, truncate, ioctl on devices
_NETWORK_SINCE, _NETWORK_RIGHTS = 4, 0b11  # bind and connect of TCP
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract Unix sockets and signals


def landlock_version() -> int:
    """The version of Landlock that the kernel offers; 0 if it has none, or a container's filter hides it."""
    try:
        return syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_QUERY_VERSION))
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM):
            return 0
        raise


def restrict(version: int, grants: Grants | None = None) -> None:
    """Takes from this thread, for good, files by name but for `grants`, the network and signals to others.

    `version` is at least 1. What is open stays open, and programs that this thread starts are held as it is. Needs
    PR_SET_NO_NEW_PRIVS first. Raises OSError when the kernel refuses, or a path is not there.
    """
    file_rights = _FIRST_FILE_RIGHTS + sum(count for since, count in _ADDED_FILE_RIGHTS.items() if since <= version)
    handled = (1 << file_rights) - 1
    # Fields that the kernel does not know are allowed if they are zero.
    attributes = struct.pack(
        "=QQQ",
        handled,
        _NETWORK_RIGHTS if version >= _NETWORK_SINCE else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    )
    ruleset = syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        for path, rights in (grants or {}).items():
            _allow(ruleset, path, rights & handled)
        syscall(LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = struct.pack("=Qi", rights, place)
        syscall(LANDLOCK_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(place)
