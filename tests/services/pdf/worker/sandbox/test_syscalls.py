"""System calls by their numbers."""

import ctypes
import errno

import pytest

from services.pdf.worker.sandbox.syscalls import LANDLOCK_CREATE_RULESET, prctl, syscall

UNKNOWN = 1 << 20


def test_a_call_that_the_kernel_refuses_is_an_error_with_its_number() -> None:
    with pytest.raises(OSError, match=r".+") as caught:
        syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(UNKNOWN))
    assert caught.value.errno in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


def test_a_property_that_a_process_has_not_is_an_error() -> None:
    with pytest.raises(OSError, match=r".+") as caught:
        prctl(UNKNOWN)
    assert caught.value.errno == errno.EINVAL
