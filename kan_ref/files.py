"""Atomic writes: a file has all of its new content or, whatever happens, its old content."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator


@contextlib.contextmanager
def replacing(name: str, suffix: str = ".tmp") -> Iterator[str]:
    """Yield the name of an empty temporary file, which replaces the file `name` at the end.

    The temporary file is in the same folder and its name ends in `suffix`. Links are followed, and
    an older file keeps its permissions. If the block raises an error, the temporary file is removed
    and the old file stays as it was. An OSError, such as that of a folder that does not exist, has
    `name` as its file name.
    """
    target, mode = os.path.realpath(name), None
    temporary = os.path.join(os.path.dirname(target), f".kan_ref-{secrets.token_hex(8)}{suffix}")
    try:
        with contextlib.suppress(FileNotFoundError), open(target, "r+b") as old:  # must be writable
            mode = stat.S_IMODE(os.fstat(old.fileno()).st_mode)
        with open(temporary, "xb"):
            if mode is not None:
                os.chmod(temporary, mode)
        yield temporary
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = name
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def replace_file(name: str, data: bytes) -> None:
    """Write `data` as the whole content of a file, in one step."""
    with replacing(name) as temporary, open(temporary, "wb") as file:
        file.write(data)
