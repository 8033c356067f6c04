"""Locks on files, on file systems that have them: an NFS or Lustre may be mounted without."""

import errno
import fcntl

UNKNOWN = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
"""What a file system without locks answers."""


def lock(file: int, how: int) -> bool:
    """Lock an open file as `fcntl.flock` does, and say whether its file system has locks.

    Raises:
        BlockingIOError: another process holds it, and `how` says not to wait.
    """
    try:
        fcntl.flock(file, how)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        return False
    return True
