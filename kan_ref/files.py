"""Atomic writes: a file has all of its new content or, whatever happens, its old content.

Reading is here too: the bytes of a regular file and of nothing else, and JSON that is strict.
"""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from reprlib import repr as short
from typing import Any

if sys.platform != "win32":
    import fcntl

PREFIX = ".kan_ref-"
UNLOCKED = "unlocked"  # stands for the machine in the name of a file that could not be locked
TRIES = 20  # names for a temporary file, each of which another process may remove before its lock
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@contextlib.contextmanager
def replacing(name: str, suffix: str = ".tmp") -> Iterator[str]:
    """Yield the name of an empty temporary file, which replaces the file `name` at the end.

    The temporary file is in the same folder and its name ends in `suffix`. Links are followed, and
    an older file keeps its permissions. If the block raises an error, the temporary file is removed
    and the old file stays as it was. An OSError, such as that of a folder that does not exist, has
    `name` as its file name.

    Notes
    -----
    A process that is terminated by force in the block cannot remove its temporary file. The next
    call for the same folder does so, and removes no file that a running process still writes. The
    writer holds a lock (`flock`) on its temporary file from its creation until the file has its
    final name, and the kernel releases the lock when the process ends, however it ends. So a file
    whose lock is free is abandoned, whatever its age. Process ids, which are used again, play no
    role.

    Locks may not be visible on another machine that shares the folder. The name of a temporary file
    therefore contains the id of the machine's present boot (without one, a hash of the host's
    name), and only files with one's own id are considered. Files of other machines, of an earlier
    boot and of file systems without locks stay: a `.kan_ref-*` file that is older than a day can be
    deleted by hand. On Windows, which has no `flock`, all of them stay. The block must write into
    the file, not put another one in its place, since the lock belongs to the file.
    """
    target, mode = os.path.realpath(name), None
    try:
        with contextlib.suppress(FileNotFoundError):
            mode = _mode_of(target)
        _remove_abandoned(os.path.dirname(target))
        with _locked_file(os.path.dirname(target), suffix) as temporary:
            if mode is not None:
                os.chmod(temporary, mode)
            yield temporary
            with open(temporary, "r+b") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
    except OSError as error:
        error.filename = name
        raise


def replace_file(name: str, data: bytes) -> None:
    """Write `data` as the whole content of a file, in one step."""
    with replacing(name) as temporary, open(temporary, "wb") as file:
        file.write(data)


def _mode_of(target: str) -> int:
    """Return the permissions of a regular file that may be written; raise OSError for others."""
    _check_regular(target, os.stat(target).st_mode)
    with open(target, "r+b") as old:  # must be writable
        return stat.S_IMODE(os.fstat(old.fileno()).st_mode)


# --- temporary files and their locks


@contextlib.contextmanager
def _locked_file(folder: str, suffix: str) -> Iterator[str]:
    """Yield the name of a new file whose lock is held in the block; remove it if it is left."""
    name, descriptor = "", None
    try:
        for machine in (*[_machine()] * TRIES, UNLOCKED):
            name = os.path.join(folder, f"{PREFIX}{machine}-{secrets.token_hex(8)}{suffix}")
            descriptor = _lock_new(name, machine)
            if descriptor is not None or machine == UNLOCKED:
                break
        yield name
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)
        if descriptor is not None:
            os.close(descriptor)


def _lock_new(name: str, machine: str) -> int | None:
    """Create a file and lock it; return its descriptor, or None if it has no lock.

    Without a lock the file exists only for the machine `UNLOCKED`.
    """
    with open(name, "xb") as file:
        if sys.platform == "win32" or machine == UNLOCKED:
            locked = False
        else:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                locked = os.path.samestat(os.fstat(file.fileno()), os.stat(name))
            except OSError:  # another process is removing it, or the file system has no locks
                locked = False
        if locked:
            return os.dup(file.fileno())  # shares the lock
    if machine != UNLOCKED:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    return None


def _remove_abandoned(folder: str) -> None:
    """Remove the temporary files of a folder whose processes on this machine were terminated.

    What cannot be listed, locked or removed stays: it does not concern the file to be written.
    """
    if sys.platform == "win32":
        return
    mine = f"{PREFIX}{_machine()}-"
    names: list[str] = []
    with contextlib.suppress(OSError):
        names = [name for name in os.listdir(folder) if name.startswith(mine)]
    for name in names:
        with contextlib.suppress(OSError):
            _remove_unlocked(os.path.join(folder, name))


def _remove_unlocked(name: str) -> None:
    """Remove a regular file if its lock is free; raise OSError otherwise."""
    if sys.platform == "win32":
        return
    descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        _check_regular(name, os.fstat(descriptor).st_mode)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.lstat(name)):
            os.unlink(name)
    finally:
        os.close(descriptor)


@cache
def _machine() -> str:
    """Return 16 characters for this machine since it started; without `flock`, `UNLOCKED`."""
    if sys.platform == "win32":
        return UNLOCKED
    if _BOOT.exists():
        return _BOOT.read_text(encoding="ascii").replace("-", "")[:16]
    return hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:16]


# --- reading

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def read_regular(name: str, most: int | None = None) -> bytes:
    """Return the content of a regular file without ever waiting for it.

    Raises
    ------
    OSError
        At once for a folder, a named pipe, a socket or a device; no such file, no permission.
    ValueError
        More than `most` bytes.
    """
    _check_regular(name, os.stat(name).st_mode)  # opening a device may have an effect
    with open(name, "rb", opener=_open_at_once) as file:
        status = os.fstat(file.fileno())
        _check_regular(name, status.st_mode)
        if most is not None and status.st_size > most:
            raise ValueError(
                f"{name} has {status.st_size} bytes, but such a file may have at most {most}"
            )
        return file.read(status.st_size)


def _open_at_once(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe waits for its writer


def _check_regular(name: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((words for test, words in _KINDS if test(mode)), "a device")
        code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(code, f"This is {kind}, but must be a regular file", name)


def parse_json(
    text: str | bytes,
    whole: Callable[[str], Any] = int,
    constant: Callable[[str], Any] | None = None,
) -> Any:
    """Return the value of a JSON text in UTF-8 (RFC 8259).

    `whole` converts its integers, and `constant` the words NaN, Infinity and -Infinity, which are
    not JSON.

    Raises
    ------
    ValueError
        "it is not JSON: ..."; a repeated key; too deep nesting; without `constant` its three words.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            raise ValueError(f"it has a repeated key among {short([key for key, _ in pairs])}")
        return members

    def reject(word: str) -> None:
        raise ValueError(f"it is not JSON: {word} is not allowed")

    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(
            decoded, parse_int=whole, object_pairs_hook=unique, parse_constant=constant or reject
        )
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
