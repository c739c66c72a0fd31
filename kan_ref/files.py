"""Atomic writes: a file has all of its new content, or else its old content.

Reading is here too: the bytes of a regular file and of nothing else; strict JSON.
"""

import contextlib
import errno
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from typing import Any

from kan_ref import checks


@contextlib.contextmanager
def replacing(name: str, suffix: str = ".tmp") -> Iterator[str]:
    """Yield the name of an empty temporary file, which replaces `name` at the end.

    The temporary file `.kan_ref-*` is in the same folder and its name ends in `suffix`.
    Links are followed, and an older file keeps its permissions. If the block raises an
    error, the temporary file is removed and the old file stays as it was. An OSError,
    such as that of a folder that does not exist, has `name` as its file name. A process
    that is killed in the block leaves its temporary file behind.
    """
    target = os.path.realpath(name)
    temporary = f".kan_ref-{secrets.token_hex(8)}{suffix}"
    place = os.path.join(os.path.dirname(target), temporary)
    try:
        os.close(os.open(place, os.O_CREAT | os.O_EXCL, 0o666))
        try:
            if os.path.exists(target):
                os.chmod(place, stat.S_IMODE(_check_regular(target)))
                os.close(os.open(target, os.O_WRONLY))  # must be writable
            yield place
            with open(place, "r+b") as file:
                os.fsync(file.fileno())
            os.replace(place, target)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
    except OSError as error:
        error.filename = name
        raise


def replace_file(name: str, data: bytes) -> None:
    """Write `data` as the whole content of a file, in one step."""
    with replacing(name) as temporary, open(temporary, "wb") as file:
        file.write(data)


def read_regular(name: str, most: int | None = None) -> bytes:
    """Return the content of a regular file, without a wait for a pipe or a device.

    Anything else is an OSError, and more than `most` bytes a ValueError.
    """
    _check_regular(name)
    with open(name, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if most is not None and size > most:
            raise ValueError(
                f"{name} has {size} bytes, but such a file may have at most {most}"
            )
        return file.read()


def _check_regular(name: str) -> int:
    """Return the mode of a regular file; OSError for a folder, pipe, socket, device."""
    mode = os.stat(name).st_mode
    if not stat.S_ISREG(mode):
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(code, "it must be a regular file", name)
    return mode


def parse_json(
    text: str | bytes,
    whole: Callable[[str], Any] = int,
    constant: Callable[[str], Any] | None = None,
) -> Any:
    """Return the value of a JSON text in UTF-8 (RFC 8259), else raise ValueError.

    `whole` converts its integers, and `constant` the words NaN, Infinity and -Infinity,
    which are not JSON. Repeated keys are errors.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise ValueError(
                f"it has a repeated key among {checks.shown(list(members))}"
            )
        return members

    def reject(word: str) -> None:
        raise ValueError(f"it is not JSON: {word} is not allowed")

    hooks: Any = {"parse_int": whole, "parse_constant": constant or reject}
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(decoded, object_pairs_hook=unique, **hooks)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
