"""Atomic writes: a file has all of its new content or, whatever happens, what it had before."""

import contextlib
import os
import secrets
import stat


def replace_file(name: str, data: bytes) -> None:
    """All of `data` in the file, in one step; links are followed, and an older file keeps its permissions."""
    target, mode = os.path.realpath(name), None
    temporary = os.path.join(os.path.dirname(target), f".kan_ref-{secrets.token_hex(8)}.tmp")
    with (
        contextlib.suppress(FileNotFoundError),
        open(target, "r+b") as old,
    ):  # refused where it may not be written
        mode = stat.S_IMODE(os.fstat(old.fileno()).st_mode)
    try:
        with open(temporary, "xb") as file:
            if mode is not None:
                os.chmod(temporary, mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = name
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
