"""Limits that the system puts on this process."""

import sys

from jen1cli.errors import Jen1Error

NEEDED_BYTES = 4 * 2**30
"""Address space of torch and a small model; far more than they use of the memory."""


def check_address_space() -> None:
    """Refuse a limit on address space under which torch ends the process while it is loaded.

    Raises:
        Jen1Error: `ulimit -v`, or the like, is below `NEEDED_BYTES`.
    """
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < NEEDED_BYTES:
        raise Jen1Error(
            f"the memory does not suffice: this process may address {limit / 2**30:.1f} GiB, torch"
            f" needs {NEEDED_BYTES >> 30}; raise the limit: ulimit -v {NEEDED_BYTES // 1024}"
        )
