"""The atomic replacement of a file: all of the new content, or the old file and nothing beside it."""

import contextlib
import errno
import fcntl
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cases import for_all
from checkout import ROOT

from kan_ref import files
from kan_ref.files import parse_json, read_regular, replace_file, replacing


def test_the_file_is_replaced_at_the_end_of_the_block_and_not_before(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    with replacing(str(path)) as temporary:
        with open(temporary, "wb") as file:
            file.write(b"new")
        assert path.read_bytes() == b"old"

    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
@pytest.mark.parametrize("content", [b"old", None])
def test_after_an_error_in_the_block_the_folder_is_as_it_was(tmp_path, error, content):
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)

    def write_half():
        with replacing(str(path)) as temporary:
            with open(temporary, "wb") as file:
                file.write(b"half")
            raise error

    with pytest.raises(error):
        write_half()

    assert (path.read_bytes() if path.exists() else None) == content
    assert os.listdir(tmp_path) == ([] if content is None else ["a.txt"])


def test_the_temporary_file_is_empty_beside_the_target_of_a_link_and_has_the_suffix(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "a.txt")

    with replacing(str(tmp_path / "link"), ".gif") as temporary:
        assert os.path.dirname(temporary) == str(tmp_path / "there")
        assert os.path.getsize(temporary) == 0
        assert temporary.endswith(".gif")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "a.txt").read_bytes() == b""


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_an_older_file_keeps_its_permissions_also_while_the_new_one_is_written(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    path.chmod(mode)

    with replacing(str(path)) as temporary:
        assert stat.S_IMODE(os.stat(temporary).st_mode) == mode

    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("name", ["nowhere/a.txt", "file/a.txt"])
def test_a_folder_that_takes_no_file_raises_before_the_block_and_names_the_file(tmp_path, name):
    (tmp_path / "file").touch()
    path = str(tmp_path / name)

    with pytest.raises(OSError, match=r"No such file|Not a directory") as caught, replacing(path):
        raise AssertionError("the block has been entered")

    assert caught.value.filename == path


def test_all_of_the_data_are_written(tmp_path):
    data = bytes(range(256)) * 1000

    replace_file(str(tmp_path / "a.bin"), data)

    assert (tmp_path / "a.bin").read_bytes() == data


# --- files of killed processes

KILLED = """
import os, signal, sys
from kan_ref.files import replacing
with replacing(sys.argv[1]) as temporary:
    with open(temporary, "wb") as file:
        file.write(b"half")
    if sys.argv[2] == "wait":
        print(temporary, flush=True)
        sys.stdin.readline()
    else:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def run_killed(path):
    """Replace a file in a process that is killed before the end."""
    command = [sys.executable, "-c", KILLED, str(path), "kill"]
    ended = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL


@contextlib.contextmanager
def slow_writer(path):
    """Yield a process that is replacing a file, and its temporary file; it ends on request."""
    command = [sys.executable, "-c", KILLED, str(path), "wait"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:
        yield process, process.stdout.readline().strip()
        process.kill()


def test_the_next_write_into_a_folder_removes_the_files_of_killed_processes_there(tmp_path):
    path, other = tmp_path / "a.bin", tmp_path / "sub"
    other.mkdir()
    replace_file(str(path), b"old")
    for place in (path, other / "b.bin"):
        run_killed(place)
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.glob(".kan_ref-*"))) == 1

    replace_file(str(tmp_path / "c.bin"), b"new")

    assert sorted(os.listdir(tmp_path)) == ["a.bin", "c.bin", "sub"]
    assert len(os.listdir(other)) == 1


def test_the_file_of_a_living_process_stays_however_old_it_is_and_goes_when_the_process_is_killed(
    tmp_path,
):
    with slow_writer(tmp_path / "a.bin") as (process, temporary):
        os.utime(temporary, (0.0, 0.0))
        replace_file(str(tmp_path / "b.bin"), b"new")
        assert os.path.exists(temporary)

        process.kill()
        process.wait()
        assert os.path.exists(temporary)
        replace_file(str(tmp_path / "b.bin"), b"newer")

    assert os.listdir(tmp_path) == ["b.bin"]


def test_a_living_process_ends_its_write_after_others_have_written_into_the_folder(tmp_path):
    with slow_writer(tmp_path / "a.bin") as (process, _):
        for n in range(3):
            replace_file(str(tmp_path / f"{n}.bin"), b"new")
        process.communicate("\n", timeout=60)
        assert process.returncode == 0

    assert (tmp_path / "a.bin").read_bytes() == b"half"
    assert not list(tmp_path.glob(".kan_ref-*"))


def test_a_thread_of_this_process_keeps_its_file_too(tmp_path):
    with replacing(str(tmp_path / "a.bin")) as temporary:
        replace_file(str(tmp_path / "b.bin"), b"new")
        assert os.path.exists(temporary)

    assert sorted(os.listdir(tmp_path)) == ["a.bin", "b.bin"]


@pytest.mark.parametrize(
    "name",
    [
        f"{files.PREFIX}{'0' * 16}-{'1' * 16}.tmp",  # another machine, or an earlier boot
        f"{files.PREFIX}{files.UNLOCKED}-{'1' * 16}.tmp",
        f"{files.PREFIX}notes.txt",
        "net.npz",
    ],
)
def test_files_that_this_machine_cannot_judge_stay(tmp_path, name):
    (tmp_path / name).write_bytes(b"of somebody else")
    os.utime(tmp_path / name, (0.0, 0.0))

    replace_file(str(tmp_path / "a.bin"), b"new")

    assert sorted(os.listdir(tmp_path)) == sorted([name, "a.bin"])


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("a.bin", path)])
def test_what_has_such_a_name_and_is_no_file_stays_and_stops_nobody(tmp_path, make):
    strange = tmp_path / f"{files.PREFIX}{files._machine()}-{'1' * 16}.tmp"
    make(strange)

    for content in (b"one", b"two"):
        replace_file(str(tmp_path / "a.bin"), content)

    assert os.path.lexists(strange)
    assert (tmp_path / "a.bin").read_bytes() == b"two"


def test_a_file_that_another_process_removes_before_its_lock_is_made_anew(tmp_path, monkeypatch):
    """The moment between the creation of a file and its lock, in which it looks abandoned."""
    flock, removed = fcntl.flock, []

    def slow(descriptor, operation):
        if len(removed) < 3:
            removed.append(os.readlink(f"/proc/self/fd/{descriptor}"))
            os.unlink(removed[-1])
        flock(descriptor, operation)

    monkeypatch.setattr(files.fcntl, "flock", slow)
    replace_file(str(tmp_path / "a.bin"), b"new")

    assert len(set(removed)) == 3
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_file_system_without_locks_takes_files_and_none_is_removed_there(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    run_killed(tmp_path / "a.bin")
    monkeypatch.setattr(files.fcntl, "flock", unsupported)
    with replacing(str(tmp_path / "a.bin")) as temporary:
        assert os.path.basename(temporary).startswith(f"{files.PREFIX}{files.UNLOCKED}-")

    assert len(os.listdir(tmp_path)) == 2


def test_a_machine_without_a_boot_id_is_known_by_its_name(monkeypatch):
    monkeypatch.setattr(files, "_BOOT", Path("/no/such/file"))

    found = files._machine.__wrapped__()

    assert re.fullmatch("[0-9a-f]{16}", found)
    assert found == files._machine.__wrapped__() != files._machine()


def test_many_processes_that_write_and_are_killed_lose_no_finished_file_and_leave_nothing(tmp_path):
    """Each writes its own files in turn; the content of a finished file is never half."""
    code = (
        "import itertools, sys\nfrom kan_ref.files import replace_file\n"
        "for n in itertools.count():\n"
        "    replace_file(f'{sys.argv[1]}/{sys.argv[2]}', b'%9d' % n * 1000)\n"
        "    print(n, flush=True)\n"
    )
    names = ["a", "b", "c"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), name],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in names
    ]
    for process in processes:
        for _ in range(40):
            assert process.stdout.readline()
    reported = []
    for process in processes:
        process.kill()
        said, failed = process.communicate(timeout=60)
        assert failed == b""
        reported.append([int(line) for line in said.split()])

    replace_file(str(tmp_path / "d"), b"")

    assert sorted(os.listdir(tmp_path)) == [*names, "d"]
    for name, numbers in zip(names, reported, strict=True):
        content = (tmp_path / name).read_bytes()
        number = int(content[:9])
        assert content == b"%9d" % number * 1000
        assert number >= (numbers or [39])[-1]


# --- reading


def test_a_pipe_is_rejected_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(OSError, match="This is a named pipe, but must be a regular file"):
        read_regular(str(tmp_path / "pipe"))


def test_a_file_that_becomes_a_pipe_between_the_check_and_the_opening_is_rejected(
    tmp_path, monkeypatch
):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    status = os.stat(tmp_path / "file")

    with monkeypatch.context() as changed:
        changed.setattr(files.os, "stat", lambda _: status)
        with pytest.raises(OSError, match="This is a named pipe, but must be a regular file"):
            read_regular(str(tmp_path / "pipe"))


def test_a_file_is_read_whole_unless_it_is_too_large(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")

    assert read_regular(str(tmp_path / "a"), 5) == b"12345"
    with pytest.raises(ValueError, match="has 5 bytes, but such a file may have at most 4"):
        read_regular(str(tmp_path / "a"), 4)


@for_all(
    ("text", "sentence"),
    [
        (b"\xff", "it is not JSON: 'utf-8' codec"),
        (b"{", "it is not JSON: Expecting"),
        (b"", "it is not JSON: Expecting value"),
        (b"[NaN]", "it is not JSON: NaN is not allowed"),
        (b"[-Infinity]", "it is not JSON: -Infinity is not allowed"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', r"it has a repeated key among \['c', 'c'\]"),
        (b"[" * 100000, "it is nested too deeply"),
        (b'{"a":' * 100000, "it is nested too deeply"),
    ],
)
def test_what_is_no_strict_json_is_one_value_error(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_json(text)
