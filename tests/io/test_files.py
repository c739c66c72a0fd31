"""The atomic replacement of a file: all of the new content, or the old file and nothing beside it."""

import os
import stat

import pytest

from kan_ref.files import replace_file, replacing


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
