"""Landlock: the kernel's limits on what a process may reach, which it can impose on itself without any privilege."""

import ctypes
import errno
import os
import struct

from services.pdf.worker.sandbox.syscalls import LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF, syscall

_QUERY_VERSION = 1

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


def restrict(version: int) -> None:
    """Takes from this thread, for good, files by name, the network and signals; `version` is at least 1.

    What is open stays open. Needs PR_SET_NO_NEW_PRIVS first. Raises OSError when the kernel refuses.
    """
    file_rights = _FIRST_FILE_RIGHTS + sum(count for since, count in _ADDED_FILE_RIGHTS.items() if since <= version)
    # Fields that the kernel does not know are allowed if they are zero.
    attributes = struct.pack(
        "=QQQ",
        (1 << file_rights) - 1,
        _NETWORK_RIGHTS if version >= _NETWORK_SINCE else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    )
    ruleset = syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        syscall(LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
