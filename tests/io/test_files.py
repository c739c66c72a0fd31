"""The atomic replacement of a file: all of the new content, or the old file and nothing beside it; strict reading."""

import os
import stat
import subprocess
import sys

import pytest
from cases import for_all
from checkout import ROOT

from kan_ref.files import parse_json, read_regular, replace_file, replacing


def test_the_file_is_replaced_at_the_end_of_the_block_and_not_before(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    with replacing(str(path), ".gif") as temporary:
        assert os.path.dirname(temporary) == str(tmp_path)
        assert temporary.endswith(".gif")
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


def test_the_file_of_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "a.txt")

    replace_file(str(tmp_path / "link"), b"new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "a.txt").read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_an_older_file_keeps_its_permissions_also_while_the_new_one_is_written(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.touch()
    path.chmod(mode)

    with replacing(str(path)) as temporary:
        assert stat.S_IMODE(os.stat(temporary).st_mode) == mode

    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("name", ["no/a.txt", "."])
def test_a_folder_that_takes_no_file_raises_before_the_block_and_names_the_file(tmp_path, name):
    with pytest.raises(OSError, match=r"file|directory") as caught, replacing(str(tmp_path / name)):
        pytest.fail("the block began")

    assert caught.value.filename == str(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    code = (
        "import os, sys\nfrom kan_ref.files import replacing\n"
        "with replacing(sys.argv[1]) as name, open(name, 'wb') as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), 9)\n"
    )

    subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT, check=False)

    assert path.read_bytes() == b"old"


def test_a_pipe_is_rejected_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    for read in (read_regular, lambda name: replace_file(name, b"")):
        with pytest.raises(OSError, match="regular file"):
            read(str(tmp_path / "pipe"))


def test_a_file_is_read_whole_unless_it_is_too_large(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")

    assert read_regular(str(tmp_path / "a"), 5) == b"12345"
    with pytest.raises(ValueError, match="5 bytes"):
        read_regular(str(tmp_path / "a"), 4)


@for_all(
    "text",
    [
        b"\xff",
        b"{",
        b"",
        b"[NaN]",
        b"[-Infinity]",
        b'{"a": 1, "b": {"c": 1, "c": 1}}',
        b"[" * 10**5,
    ],
)
def test_what_is_no_strict_json_is_one_value_error(text):
    with pytest.raises(ValueError, match=r"^it "):
        parse_json(text)
