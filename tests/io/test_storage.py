"""Files of networks: they load bit for bit, an old file survives every failure, and no file is harmful."""

import contextlib
import copy
import dataclasses
import errno
import io
import json
import os
import re
import signal
import socket
import stat
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest
from conformance_plain import Plain
from damaged_json import damaged
from hypothesis import given
from hypothesis import strategies as st
from networks import network_cases, random_layer, random_network, seeds, with_formulas

import kan_ref as kr
from kan_ref import files
from kan_ref.io import document as documents
from kan_ref.io import storage
from kan_ref.io.document import layer_from_plain, layer_to_plain, network_to_plain
from kan_ref.io.storage import load, save
from kan_ref.network.layer import Layer
from kan_ref.network.network import Network
from kan_ref.network.symbolic_edges import SymbolicEdge

ARRAYS = ("knots", "coef", "w_base", "w_spline", "mask")
SUFFIXES = (".npz", ".json")
EXTREMES = (
    -0.0,
    0.0,
    5e-324,
    -5e-324,
    2.2250738585072014e-308,
    1.7e308,
    -sys.float_info.max,
    0.1,
    1 / 3,
    2**53 + 1.0,
    1e22,
    1e23,
)

both_formats = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("networks")


@pytest.fixture
def network():
    return random_network(np.random.default_rng(0), widths=(2, 3, 1))


def tiny_network():
    return Network(
        (Layer([[0.0, 0.1, 1.0]], [[[1 / 3, -0.0]]], [[5e-324]], [[1.7e308]], [[1.0]], degree=0),)
    )


def state(network):
    """Return everything in a network as bytes and text."""
    return [
        (
            layer.degree,
            layer.base,
            [(name, getattr(layer, name).shape, getattr(layer, name).tobytes()) for name in ARRAYS],
        )
        for layer in network.layers
    ]


def answer(path):
    """Return the network in a file, or the message of the error that `load` raises."""
    try:
        return load(path)
    except ValueError as error:
        return str(error)


def refusal(path):
    """Return the message with which `load` rejects a file; it begins with the file's name and is short."""
    sentence = answer(path)
    assert isinstance(sentence, str), f"{sentence} was read"
    assert sentence.startswith(f"{path} holds no network that can be read: ")
    assert not sentence.endswith(": ")
    assert sentence.isprintable()
    assert len(sentence) < len(str(path)) + 400
    return sentence


def members_of(network):
    """Return the arrays of an .npz file by name, `meta` as a dict."""
    buffer = io.BytesIO(storage.npz_bytes(network_to_plain(network)))
    with np.load(buffer, allow_pickle=False) as file:
        members = {name: file[name] for name in file.files}
    return members | {"meta": json.loads(str(members["meta"]))}


def write_npz(path, members):
    """Write an .npz file as NumPy does, with objects pickled, and return its path."""
    meta = members.get("meta")
    text = {"meta": np.array(json.dumps(meta))} if isinstance(meta, dict | list) else {}
    np.savez(path, **members | text)
    return path


def write_zip(path, members, **options):
    """Write a zip archive of raw members, (name, bytes) or (name, bytes, compression) each; return its path."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def raw_members(network):
    with zipfile.ZipFile(io.BytesIO(storage.npz_bytes(network_to_plain(network)))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_json(path, document):
    path.write_text(
        document if isinstance(document, str) else json.dumps(document), encoding="utf-8"
    )
    return path


def json_document(network):
    return json.loads(documents.json_text(network_to_plain(network), "\n"))


# --- what is saved comes back


@given(case=network_cases(), seed=seeds, suffix=st.sampled_from(SUFFIXES))
def test_a_network_comes_back_bit_for_bit_with_zeros_of_both_signs_denormals_and_giants(
    folder, case, seed, suffix
):
    network, _, rng = case
    rng = np.random.default_rng(seed)
    theta = np.where(
        rng.random(network.n_params) < 0.5, rng.choice(EXTREMES, network.n_params), network.theta
    )
    network = network.with_theta(theta)

    save(network, folder / f"any{suffix}")

    assert state(load(folder / f"any{suffix}")) == state(network)


@both_formats
@pytest.mark.parametrize("number", EXTREMES)
def test_extreme_knots_keep_their_bits(folder, suffix, number):
    row = np.sort([number / 8 if abs(number) > 1e307 else number, -1.0, 1.0, 2.0])
    network = Network((Layer([row], [[[0.0, 1.0]]], [[1.0]], [[1.0]], [[-0.0]], degree=1),))

    save(network, folder / f"knots{suffix}")

    assert state(load(folder / f"knots{suffix}")) == state(network)


@both_formats
def test_a_loaded_network_is_read_only_and_takes_new_parameters(folder, network, suffix):
    save(network, folder / f"again{suffix}")
    loaded = load(folder / f"again{suffix}")

    for layer in loaded.layers:
        assert not any(getattr(layer, name).flags.writeable for name in ARRAYS)
    assert loaded.with_theta(2 * loaded.theta).theta.tobytes() == (2 * network.theta).tobytes()


def test_no_field_of_a_layer_is_left_out(network):
    fields = {field.name for field in dataclasses.fields(Layer) if field.init}
    formulas = with_formulas(np.random.default_rng(3), network, share=1.0)

    assert (
        set(layer_to_plain(formulas.layers[0]))
        == set(json_document(formulas)["layers"][0])
        == fields
    )
    assert set(layer_to_plain(network.layers[0])) == fields - {"symbolic", "affine"}


def test_a_plain_layer_becomes_the_layer_again(network):
    assert state(
        Network(tuple(layer_from_plain(layer_to_plain(layer)) for layer in network.layers))
    ) == state(network)


@both_formats
def test_a_path_may_be_text_or_a_path_and_its_ending_large(folder, network, suffix):
    path = folder / f"LARGE{suffix.upper()}"

    save(network, str(path))

    assert state(load(path)) == state(load(str(path))) == state(network)


# --- what stands in the files


@both_formats
def test_the_same_network_gives_the_same_bytes_at_any_time_and_place(
    tmp_path, network, suffix, monkeypatch
):
    (tmp_path / "sub").mkdir()
    save(network, tmp_path / f"first{suffix}")
    monkeypatch.setattr("time.time", lambda: 1.9e9)
    save(load(tmp_path / f"first{suffix}"), tmp_path / "sub" / f"second{suffix}")

    assert (tmp_path / f"first{suffix}").read_bytes() == (
        tmp_path / "sub" / f"second{suffix}"
    ).read_bytes()


def test_members_carry_no_date_and_no_machine(folder, network):
    save(network, folder / "plain.npz")

    with zipfile.ZipFile(folder / "plain.npz") as archive:
        marks = {
            (info.date_time, info.create_system, info.extra, info.comment, info.compress_type)
            for info in archive.infolist()
        }
    assert marks == {((1980, 1, 1, 0, 0, 0), 3, b"", b"", zipfile.ZIP_STORED)}


def test_one_format_turns_into_the_other_and_back_without_a_trace(folder, network):
    save(network, folder / "a.npz")
    save(load(folder / "a.npz"), folder / "b.json")
    save(load(folder / "b.json"), folder / "c.npz")

    assert (folder / "a.npz").read_bytes() == (folder / "c.npz").read_bytes()


def test_numpy_opens_an_npz_file_without_pickle(folder, network):
    save(network, folder / "open.npz")

    with np.load(folder / "open.npz", allow_pickle=False) as file:
        meta, arrays = file["meta"], {name: file[name] for name in file.files if name != "meta"}
    assert meta.shape == ()
    assert json.loads(str(meta)) == {
        "format": "kan_ref network",
        "version": 1,
        "kan_ref": kr.__version__,
        "layers": [{"degree": layer.degree, "base": layer.base} for layer in network.layers],
    }
    assert set(arrays) == {f"layer_{number}_{name}" for number in range(2) for name in ARRAYS}
    np.testing.assert_array_equal(arrays["layer_1_coef"], network.layers[1].coef, strict=True)


def test_a_json_file_is_strict_json_of_the_documented_shape(folder, network):
    def refuse(constant):
        raise AssertionError(constant)

    save(network, folder / "shape.json")
    document = json.loads(
        (folder / "shape.json").read_text(encoding="ascii"), parse_constant=refuse
    )

    assert list(document) == ["format", "version", "kan_ref", "layers"]
    assert (document["format"], document["version"], document["kan_ref"]) == (
        "kan_ref network",
        1,
        kr.__version__,
    )
    for layer, plain in zip(network.layers, document["layers"], strict=True):
        assert (plain["degree"], plain["base"]) == (layer.degree, layer.base)
        assert all(np.array_equal(np.array(plain[name]), getattr(layer, name)) for name in ARRAYS)


def test_the_layers_of_a_json_file_are_all_that_a_program_of_another_style_needs(folder):
    network = random_network(np.random.default_rng(3), degrees=range(6))
    x = np.random.default_rng(4).uniform(-2.0, 2.0, (20, network.widths[0]))
    kr.save(network, folder / "net.json")
    layers = json.loads((folder / "net.json").read_text(encoding="utf-8"))["layers"]
    arrays = [
        {
            name: np.array(value) if isinstance(value, list) else value
            for name, value in layer.items()
        }
        for layer in layers
    ]

    y = Plain().network_forward(arrays, x)

    np.testing.assert_allclose(y, network(x), rtol=0.0, atol=1e-12 * np.abs(y).max())


def test_a_json_file_has_one_row_of_shortest_decimals_on_a_line(folder):
    save(tiny_network(), folder / "lines.json")

    lines = [
        line.strip() for line in (folder / "lines.json").read_text(encoding="ascii").split("\n")
    ]
    assert "[0.0, 0.1, 1.0]" in lines
    assert "[0.3333333333333333, -0.0]" in lines
    assert "[5e-324]" in lines
    assert '"degree": 0,' in lines
    assert lines[-2:] == ["}", ""]


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_npz_file_that_numpy_wrote_is_read(folder, network, order):
    members = {
        name: value if name == "meta" else np.asarray(value, order=order)
        for name, value in members_of(network).items()
    }

    assert state(load(write_npz(folder / "numpy.npz", members))) == state(network)


def test_a_json_file_of_another_writer_is_read(folder):
    text = (
        '\r\n{"layers":[{"base":"zero","mask":[[1]],"w_spline":[[17E-1]],"w_base":[[0.1e+1]],\t"coef":[[[-0,12345678901234567890]]],'
        '"knots":[[0,1,2]],"degree":0}],"kan_ref":"none","version":1,"format":"kan_ref network"}'
    )

    layer = load(write_json(folder / "other.json", text)).layers[0]

    assert layer.coef.tobytes() == np.array([-0.0, 12345678901234567890.0]).tobytes()
    assert (layer.w_spline.item(), layer.w_base.item(), layer.base) == (1.7, 1.0, "zero")


# --- the door of save and load


@pytest.mark.parametrize(
    "path", ["net.pkl", "net", "net.npz.gz", "net.npy", "folder.json/net", ".npy", ""]
)
def test_any_other_ending_is_refused_with_the_two_that_there_are(network, path):
    for act in (lambda: save(network, path), lambda: load(path)):
        with pytest.raises(
            ValueError, match=r"^path is '.*', but must end in '\.npz' or '\.json'$"
        ):
            act()


@pytest.mark.parametrize("name", [".npz", ".json", ".NPZ"])
def test_a_path_that_is_an_ending_alone_is_rejected_for_its_missing_name(network, tmp_path, name):
    for path, remedy in ((name, f"network{name}"), (tmp_path / name, tmp_path / f"network{name}")):
        for act in (lambda path=path: save(network, path), lambda path=path: load(path)):
            said = f"path is {str(path)!r}, but must have a name before its ending, as in {str(remedy)!r}"
            with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
                act()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", ["a\0b.npz", "a\ud800.json"])
def test_a_path_that_no_file_can_have_is_named(network, path):
    for act in (lambda: save(network, path), lambda: load(path)):
        with pytest.raises(
            ValueError, match=f"^path is {re.escape(repr(path))}, but has a character"
        ):
            act()


@pytest.mark.parametrize("path", [3, None, b"net.npz", ["net.npz"]])
def test_what_is_no_path_is_refused(network, path):
    for act in (lambda: save(network, path), lambda: load(path)):
        with pytest.raises(TypeError, match=r"^path is .*, but must be a str or a pathlib\.Path$"):
            act()


def test_arguments_in_the_wrong_order_are_refused(tmp_path, network):
    with pytest.raises(TypeError, match=r"^network is .*, but must be a Network$"):
        save(str(tmp_path / "net.npz"), network)
    with pytest.raises(TypeError, match="must be a Network"):
        save(network.layers[0], tmp_path / "net.npz")
    assert not list(tmp_path.iterdir())


@both_formats
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_network_that_went_astray_is_not_written_over_a_good_one(
    tmp_path, network, suffix, number
):
    path, theta = tmp_path / f"net{suffix}", network.theta.copy()
    save(network, path)
    theta[network.layers[0].coef.size] = number

    with pytest.raises(
        ValueError, match=f"^layer 0: w_base contains {number} at row 0, column 0, but"
    ):
        save(network.replace_theta(theta), path)

    assert state(load(path)) == state(network)


def cubic(scale):
    """Register scale u^3 as "mine"."""
    return kr.register_function(
        "mine",
        lambda u: scale * u**3,
        lambda u: 3.0 * scale * u**2,
        lambda u: 6.0 * scale * u,
        lambda u: np.full_like(u, 6.0 * scale),
        complexity=3,
    )


@both_formats
def test_a_function_whose_name_stands_for_another_one_or_none_is_not_saved(
    tmp_path, network, suffix
):
    path = tmp_path / f"net{suffix}"
    cubic(1.0)
    try:
        symbolic = kr.fix_symbolic(network, 1, output=0, input=2, name="mine")
        save(symbolic, path)
        x = np.array([[0.3, -0.2]])
        assert load(path)(x) == symbolic(x)
        kr.unregister_function("mine")
        place = "network has 'mine' on the edge from input 2 to output 0 of layer 1, but the library has"
        with pytest.raises(ValueError, match=re.escape(f"{place} no function of that name")):
            save(symbolic, path)
        cubic(2.0)
        with pytest.raises(ValueError, match=re.escape(f"{place} another function of that name")):
            save(symbolic, path)
        again = kr.fix_symbolic(symbolic, 1, output=0, input=2, name="mine")  # the remedy
        save(again, path)
        assert load(path)(x) == again(x) != symbolic(x)
    finally:
        kr.unregister_function("mine")


@both_formats
def test_a_file_above_the_limit_is_neither_written_nor_read(tmp_path, network, suffix, monkeypatch):
    path = tmp_path / f"net{suffix}"
    save(network, path)
    size = path.stat().st_size

    monkeypatch.setitem(storage.MOST_BYTES, suffix, size)
    save(load(path), path)
    monkeypatch.setitem(storage.MOST_BYTES, suffix, size - 1)

    with pytest.raises(
        ValueError,
        match=f"network takes {size} bytes as {suffix}, but such a file may have at most {size - 1}",
    ):
        save(network, path)
    with pytest.raises(
        ValueError,
        match=f"net{suffix} has {size} bytes, but such a file may have at most {size - 1}",
    ):
        load(path)


@both_formats
def test_a_sparse_file_of_a_terabyte_is_refused_without_being_read(tmp_path, suffix):
    path = tmp_path / f"sparse{suffix}"
    with open(path, "wb") as file:
        file.truncate(2**40)

    with pytest.raises(ValueError, match=f"has {2**40} bytes"):
        load(path)


@both_formats
def test_more_layers_than_the_limit_are_neither_written_nor_read(
    tmp_path, network, suffix, monkeypatch
):
    save(network, tmp_path / f"two{suffix}")
    monkeypatch.setattr(documents, "MOST_LAYERS", 1)

    with pytest.raises(ValueError, match="needs its layers as a list of 1 to 1 objects"):
        save(network, tmp_path / f"net{suffix}")
    assert "needs its layers as a list of 1 to 1 objects" in refusal(tmp_path / f"two{suffix}")


def test_the_limits_leave_room_for_the_deepest_network_that_may_be_written(folder):
    layer = tiny_network().layers[0]
    deep = Network((layer,) * documents.MOST_LAYERS)

    save(deep, folder / "deep.npz")

    assert state(load(folder / "deep.npz")) == state(deep)


# --- all or nothing


class FullDisk(io.FileIO):
    """A file that accepts ten bytes."""

    def write(self, data):
        super().write(data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail_at(monkeypatch, step, error):
    def fail(*_):
        raise error

    if step == "write":
        kinds = {"wb": FullDisk}
        monkeypatch.setattr(
            files, "open", lambda name, mode: kinds.get(mode, open)(name, mode), raising=False
        )
    else:
        monkeypatch.setattr(files.os, step, fail)


def disk_full():
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@both_formats
@pytest.mark.parametrize("step", ["write", "fsync", "chmod", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path, network, suffix, step, monkeypatch
):
    path = tmp_path / f"net{suffix}"
    save(network, path)
    before = path.read_bytes()
    fail_at(monkeypatch, step, disk_full())

    with pytest.raises(OSError, match="No space left on device") as caught:
        save(tiny_network(), path)

    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


@both_formats
@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_no_half_of_a_new_file(tmp_path, suffix, step, monkeypatch):
    fail_at(monkeypatch, step, disk_full())

    with pytest.raises(OSError, match="No space left on device"):
        save(tiny_network(), tmp_path / f"net{suffix}")

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, SystemExit])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_an_interruption_leaves_the_old_file_and_nothing_else(
    tmp_path, network, step, error, monkeypatch
):
    path = tmp_path / "net.npz"
    save(network, path)
    before = path.read_bytes()
    fail_at(monkeypatch, step, error())

    with pytest.raises(error):
        save(tiny_network(), path)

    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


def test_an_interruption_just_after_the_last_step_leaves_the_new_file(
    tmp_path, network, monkeypatch
):
    path, replace = tmp_path / "net.npz", os.replace
    save(network, path)

    def replace_and_stop(source, target):
        replace(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(storage.os, "replace", replace_and_stop)
    with pytest.raises(KeyboardInterrupt):
        save(tiny_network(), path)

    assert list(tmp_path.iterdir()) == [path]
    assert state(load(path)) == state(tiny_network())


@both_formats
def test_a_file_is_whole_and_on_the_disk_before_it_takes_the_place_of_the_old_one(
    tmp_path, network, suffix, monkeypatch
):
    path, steps, replace, fsync = tmp_path / f"net{suffix}", [], os.replace, os.fsync
    save(network, path)
    monkeypatch.setattr(
        storage.os, "fsync", lambda number: steps.append(os.fstat(number).st_size) or fsync(number)
    )

    def observed(source, target):
        assert os.path.dirname(source) == os.path.dirname(target)
        assert state(load(path)) == state(network)
        steps.append(os.path.getsize(source))
        replace(source, target)

    monkeypatch.setattr(storage.os, "replace", observed)
    save(tiny_network(), path)

    assert steps == [path.stat().st_size] * 2
    assert state(load(path)) == state(tiny_network())


# --- names, links and permissions


@contextlib.contextmanager
def umask(mask):
    before = os.umask(mask)
    try:
        yield
    finally:
        assert os.umask(before) == mask


@both_formats
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002, 0o000])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, network, suffix, mask):
    with umask(mask):
        save(network, tmp_path / f"net{suffix}")
        (tmp_path / "other").touch()

    assert (
        stat.S_IMODE((tmp_path / f"net{suffix}").stat().st_mode)
        == stat.S_IMODE((tmp_path / "other").stat().st_mode)
        == 0o666 & ~mask
    )


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_an_older_file_keeps_its_permissions(tmp_path, network, mode):
    path = tmp_path / "net.npz"
    save(network, path)
    path.chmod(mode)

    save(tiny_network(), path)

    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert state(load(path)) == state(tiny_network())


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path, network, monkeypatch):
    path = tmp_path / "net.npz"
    save(network, path)

    own_open = os.open

    def guarded(name, flags, *more):
        if flags == os.O_WRONLY and str(name) == str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        return own_open(name, flags, *more)

    monkeypatch.setattr(files.os, "open", guarded)
    with pytest.raises(PermissionError, match=r"net\.npz"):
        save(tiny_network(), path)

    assert state(load(path)) == state(network)
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link_and_what_it_points_at_is_written(tmp_path, network):
    (tmp_path / "store").mkdir()
    link, target = tmp_path / "link.npz", tmp_path / "store" / "net.npz"
    link.symlink_to(target)

    save(network, link)
    save(tiny_network(), link)

    assert link.is_symlink()
    assert state(load(target)) == state(tiny_network())
    assert list(target.parent.iterdir()) == [target]


@both_formats
def test_the_longest_possible_name_can_be_written(tmp_path, suffix):
    path = tmp_path / ("n" * (255 - len(suffix)) + suffix)

    save(tiny_network(), path)

    assert state(load(path)) == state(tiny_network())


@both_formats
def test_a_missing_folder_is_reported_under_the_name_that_was_given(tmp_path, network, suffix):
    path = tmp_path / "nowhere" / f"net{suffix}"

    with pytest.raises(FileNotFoundError) as caught:
        save(network, path)
    assert caught.value.filename == str(path)
    with pytest.raises(FileNotFoundError):
        load(path)


@both_formats
def test_a_folder_is_neither_overwritten_nor_read(tmp_path, network, suffix):
    path = tmp_path / f"folder{suffix}"
    path.mkdir()

    for act in (lambda: save(network, path), lambda: load(path)):
        with pytest.raises(IsADirectoryError):
            act()
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_may_not_be_read_is_reported_as_such(tmp_path, monkeypatch):
    (tmp_path / "secret.npz").touch()

    def refuse(name, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)

    monkeypatch.setattr(files, "open", refuse, raising=False)
    with pytest.raises(PermissionError, match="secret"):
        load(tmp_path / "secret.npz")


# --- names that are not files


@contextlib.contextmanager
def alarm(seconds):
    """Raise an error in the block if it takes too long."""

    def late(*_):
        raise AssertionError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as one, contextlib.chdir(path.parent):
        one.bind(path.name)


def link_to_device(path):
    path.symlink_to("/dev/zero")


def link_to_pipe(path):
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to(path.with_name("pipe"))


@both_formats
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (make_pipe, "it must be a regular file"),
        (link_to_pipe, "it must be a regular file"),
        (make_socket, "it must be a regular file"),
        (link_to_device, "it must be a regular file"),
        (os.mkdir, "it must be a regular file"),
    ],
)
def test_what_is_no_regular_file_is_rejected_at_once_and_left_alone(
    tmp_path, network, suffix, make, sentence
):
    path = tmp_path / f"net{suffix}"
    make(path)
    before = os.lstat(path)

    for act in (lambda: load(path), lambda: save(network, path)):
        with alarm(5.0), pytest.raises(OSError, match=sentence) as caught:
            act()
        assert caught.value.filename == str(path)
    assert os.path.samestat(os.lstat(path), before)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


# --- broken files

DOCUMENTS = [
    documents.json_text(network_to_plain(net), "\n")
    for plain in [random_network(np.random.default_rng(1), widths=(2, 2, 1))]
    for net in (plain, with_formulas(np.random.default_rng(3), plain, share=0.5, locked=0.5))
]


@given(seed=st.integers(0, 2**32), text=st.sampled_from(DOCUMENTS))
def test_a_json_file_with_one_fault_is_a_network_or_rejected_in_one_message(folder, seed, text):
    path = folder / "damaged.json"
    path.write_text(text, encoding="utf-8")
    path.write_bytes(damaged(json.loads(text), seed))

    with alarm(5.0):
        found = answer(path)

    if isinstance(found, str):
        refusal(path)
    else:
        save(found, folder / "again.json")  # another network, whose fault is a number
        assert state(load(folder / "again.json")) == state(found)


@given(seed=st.integers(0, 2**32), text=st.sampled_from(DOCUMENTS))
def test_an_npz_file_whose_text_has_one_fault_is_read_as_it_was_or_rejected(folder, seed, text):
    path = folder / "damaged.json"
    path.write_text(text, encoding="utf-8")
    members = members_of(load(path))
    content = damaged(members.pop("meta"), seed).decode("utf-8", "replace")
    np.savez(folder / "damaged.npz", meta=np.array(content.replace("\0", " ")), **members)

    with alarm(5.0):
        found = answer(folder / "damaged.npz")

    if isinstance(found, str):
        refusal(folder / "damaged.npz")
    else:
        assert state(found) == state(load(path))


@both_formats
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"PK",
        b"PK\5\6" + bytes(18),
        b"no network",
        b"\x80\x04N.",
        bytes(1000),
        b"\xff" * 1000,
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, suffix, data):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(data)

    refusal(path)


def test_each_format_refuses_the_other(tmp_path, network):
    save(network, tmp_path / "net.npz")
    save(network, tmp_path / "net.json")
    (tmp_path / "net.npz").rename(tmp_path / "was_npz.json")
    (tmp_path / "net.json").rename(tmp_path / "was_json.npz")

    refusal(tmp_path / "was_npz.json")
    assert "does not end like a small zip archive" in refusal(tmp_path / "was_json.npz")


@both_formats
def test_a_file_cut_short_anywhere_is_refused(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    save(tiny_network(), path)
    whole = len(path.read_bytes().rstrip(b"\n"))
    assert whole > 300

    for length in reversed(range(whole)):
        os.truncate(path, length)
        refusal(path)


def test_a_file_cut_at_its_head_is_refused(tmp_path):
    save(tiny_network(), tmp_path / "whole.npz")
    data = (tmp_path / "whole.npz").read_bytes()

    for length in range(1, len(data), 7):
        (tmp_path / "cut.npz").write_bytes(data[length:])
        assert "zip archive" in refusal(tmp_path / "cut.npz")


@pytest.mark.parametrize(
    "name", [f"layer_{number}_{array}" for number in range(2) for array in ARRAYS]
)
def test_a_missing_array_is_named(folder, network, name):
    members = members_of(network)
    del members[name]
    number, array = name.removeprefix("layer_").split("_", 1)
    document = json_document(network)
    del document["layers"][int(number)][array]

    assert f"layer {number} lacks '{array}'" in refusal(write_npz(folder / "lacks.npz", members))
    assert f"layer {number} lacks '{array}'" in refusal(write_json(folder / "lacks.json", document))


@pytest.mark.parametrize(
    "name",
    [
        "extra",
        "layer_0",
        "layer_2_coef",
        "layer_00_coef",
        "layer_-1_coef",
        "layer_99999999999_coef",
        "layer_0_degree",
    ],
)
def test_a_surplus_array_is_named(folder, network, name):
    assert f"its member '{name}.npy' has no place" in refusal(
        write_npz(folder / "more.npz", members_of(network) | {name: np.zeros(3)})
    )


def test_an_array_has_one_name_only(folder, network):
    members = members_of(network)
    members["layer_00_coef"] = members.pop("layer_0_coef")

    assert "its member 'layer_00_coef.npy' has no place" in refusal(
        write_npz(folder / "zeros.npz", members)
    )


def test_an_array_that_no_layer_has_is_named(folder, network):
    members = members_of(network) | {"layer_1_bias": np.zeros(3)}
    document = json_document(network)
    document["layers"][1]["bias"] = [0.0]

    for path in (
        write_npz(folder / "bias.npz", members),
        write_json(folder / "bias.json", document),
    ):
        assert "layer 1 has 'bias', which has no place in format version 3" in refusal(path)


@pytest.mark.parametrize(
    "dtype", ["<f4", ">f8", "<f2", "<i8", "|b1", "<c16", "|S8", "|V8", "<M8[s]", "|O"]
)
def test_any_kind_of_number_but_little_endian_float64_is_refused(folder, network, dtype):
    members = members_of(network)
    members["layer_0_mask"] = members["layer_0_mask"].astype(np.int64).astype(dtype)

    assert "'layer_0_mask.npy' is missing, or no .npy array of float64 or text" in refusal(
        write_npz(folder / "kind.npz", members)
    )


def test_text_for_numbers_is_refused(folder, network):
    members = members_of(network) | {"layer_0_mask": np.full((3, 2), "1.0")}

    assert "layer 0 needs an array of numbers as 'mask'" in refusal(
        write_npz(folder / "text.npz", members)
    )


@both_formats
@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(
    "change",
    [
        lambda a: a[..., :-1],
        lambda a: a[:1],
        lambda a: a[None],
        lambda a: a.ravel(),
        lambda a: a[:0],
    ],
)
def test_an_array_of_another_shape_is_refused(folder, network, suffix, name, change):
    members, document = members_of(network), json_document(network)
    wrong = change(members[f"layer_0_{name}"])
    members[f"layer_0_{name}"] = wrong
    document["layers"][0][name] = wrong.tolist()
    path = (
        write_npz(folder / "shape.npz", members)
        if suffix == ".npz"
        else write_json(folder / "shape.json", document)
    )

    sentence = refusal(path)

    assert "layer 0" in sentence or "layer 1 takes" in sentence


def test_layers_that_do_not_fit_together_are_refused(folder, network):
    document = json_document(network)
    document["layers"].reverse()

    assert "layers[1] takes 2 inputs, but layers[0] has 1 output" in refusal(
        write_json(folder / "order.json", document)
    )


@both_formats
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ARRAYS)
def test_numbers_that_are_not_finite_are_refused(folder, network, suffix, name, number):
    members, document = members_of(network), json_document(network)
    members[f"layer_1_{name}"].flat[1] = number
    document["layers"][1][name] = members[f"layer_1_{name}"].tolist()
    path = (
        write_npz(folder / "wild.npz", members)
        if suffix == ".npz"
        else write_json(folder / "wild.json", document)
    )

    assert f"layer 1: {name} contains {number} at " in refusal(path)


@both_formats
@pytest.mark.parametrize(
    ("name", "position", "number", "sentence"),
    [
        ("mask", 0, 0.5, "layer 0: mask at output 0, input 0 is 0.5"),
        ("knots", 1, 1e9, "layer 0: knots must be nondecreasing along each row"),
        ("knots", -1, -1e9, "layer 0: knots must be nondecreasing along each row"),
    ],
)
def test_a_layer_that_could_not_be_made_is_not_read_either(
    folder, network, suffix, name, position, number, sentence
):
    members, document = members_of(network), json_document(network)
    members[f"layer_0_{name}"].flat[position] = number
    document["layers"][0] |= {
        array: members[f"layer_0_{array}"].tolist() for array in ("mask", "knots")
    }
    path = (
        write_npz(folder / "law.npz", members)
        if suffix == ".npz"
        else write_json(folder / "law.json", document)
    )

    assert sentence in refusal(path)


# --- format, version, meta


def both_files(folder, network, change):
    """Write both files of a network whose document is changed by `change`, which may return another one."""
    members, document = members_of(network), json_document(network)
    members["meta"] = change(members["meta"]) or members["meta"]
    document = change(document) or document
    yield write_npz(folder / "meta.npz", members)
    yield write_json(folder / "meta.json", document)


def test_a_file_of_a_newer_version_is_refused_by_its_version_whatever_else_it_holds(
    folder, network
):
    def change(document):
        document |= {
            "version": 4,
            "kan_ref": "0.9.0",
            "optimizer": {"kind": "none"},
            "layers": "elsewhere",
        }

    for path in both_files(folder, network, change):
        assert (
            "it has format version 4, by kan_ref '0.9.0', but this kan_ref reads versions 1 to 3"
            in refusal(path)
        )


def test_a_file_with_a_composed_function_is_refused_by_its_name(folder, network):
    """Files of version 3 can have one."""
    fixed = kr.fix_symbolic(network, 0, output=0, input=0, name="exp")

    def change(document):
        document["version"] = 3
        document["layers"][0]["symbolic"][0]["function"] = "exp(sin(x^2))"

    for path in both_files(folder, fixed, change):
        assert "symbolic edge 0 has the function 'exp(sin(x^2))', which is not in" in refusal(path)


@pytest.mark.parametrize("version", [0, -1, True, 1.0, 1e999, "1", None, [1], {}, 10**30, 10**400])
def test_a_version_that_is_no_version_is_refused(folder, network, version):
    for path in both_files(folder, network, lambda document: document.update(version=version)):
        assert "it has format version " in refusal(path)


@pytest.mark.parametrize(
    "format_", ["", "kan_ref", "kan_ref network ", None, 1, ["kan_ref network"], "x" * 10**5]
)
def test_another_format_is_refused(folder, network, format_):
    for path in both_files(folder, network, lambda document: document.update(format=format_)):
        assert "its format is not 'kan_ref network'" in refusal(path)


@pytest.mark.parametrize(
    "document", [None, 1, [], {}, "kan_ref network", [{"format": "kan_ref network"}]]
)
def test_a_document_that_is_no_object_of_ours_is_refused(folder, network, document):
    members = members_of(network) | {"meta": np.array(json.dumps(document))}

    for path in (
        write_npz(folder / "other.npz", members),
        write_json(folder / "other.json", json.dumps(document)),
    ):
        assert "its format is not 'kan_ref network'" in refusal(path)


@pytest.mark.parametrize("layers", [None, 3, "layers", {}, [], [3], [[]], [None], {"0": {}}])
def test_layers_that_are_no_list_of_objects_are_refused(folder, network, layers):
    for path in both_files(folder, network, lambda document: document.update(layers=layers)):
        assert "it needs its layers as a list of 1 to 1000 objects" in refusal(path)


@pytest.mark.parametrize("key", ["format", "version", "kan_ref", "layers"])
def test_every_entry_of_the_document_is_needed(folder, network, key):
    sentences = {"format": "its format is not", "version": "has format version None"}

    for path in both_files(folder, network, lambda document: document.pop(key) and None):
        assert sentences.get(key, f"it lacks '{key}'") in refusal(path)


def test_an_entry_that_nobody_knows_is_refused(folder, network):
    for path in both_files(folder, network, lambda document: document.update(comment="mine")):
        assert "it has 'comment', which has no place in format version 3" in refusal(path)


def test_a_base_as_long_as_a_book_is_not_compared_with_names(folder, network):
    for path in both_files(
        folder, network, lambda document: document["layers"][1].update(base="silu" * 10**5)
    ):
        assert "needs an integer and a short name" in refusal(path)


@pytest.mark.parametrize(
    "degree",
    [3.0, "3", True, None, -1, 10**6, 10**14, 10**30, 10**400, {}, [[1], [2]], "9" * 10**5],
)
def test_a_degree_of_another_kind_or_size_is_refused(folder, network, degree):
    for path in both_files(
        folder, network, lambda document: document["layers"][1].update(degree=degree)
    ):
        assert "layer 1" in refusal(path)


@pytest.mark.parametrize(
    "base",
    ["tanh", "SILU", "", 3, None, True, {"silu": 1}, [], "silu" * 10**5, "\ud800", "si\nlu"],
)
def test_a_base_of_another_name_or_kind_is_refused(folder, network, base):
    for path in both_files(
        folder, network, lambda document: document["layers"][1].update(base=base)
    ):
        assert "layer 1" in refusal(path)


def test_meta_that_knows_another_number_of_layers_is_refused(folder, network):
    def add(document):
        document["layers"].append({"degree": 1, "base": "silu"})

    def remove(document):
        del document["layers"][1]

    more, _ = both_files(folder, network, add)
    assert "layer 2 lacks 'knots'" in refusal(more)
    fewer, _ = both_files(folder, network, remove)
    assert "'layer_1_knots.npy' has no place in a network of 1 layers" in refusal(fewer)


@pytest.mark.parametrize(
    "meta",
    [
        np.array("no json"),
        np.array(""),
        np.array("{}" * 3),
        np.array("[" * 10**5),
        np.array(b"{}"),
        np.array(1.0),
        np.array(["{}"]),
        np.array([["{}"]]),
        np.array({"format": "kan_ref network"}, dtype=object),
    ],
)
def test_meta_that_is_no_json_in_a_0_d_text_is_refused(folder, network, meta):
    refusal(write_npz(folder / "meta.npz", members_of(network) | {"meta": meta}))


def test_good_meta_in_a_list_is_refused(folder, network):
    members = members_of(network)

    listed = write_npz(
        folder / "list.npz", members | {"meta": np.array([json.dumps(members["meta"])])}
    )

    assert "in a 0-d array" in refusal(listed)


def test_a_missing_meta_is_refused(folder, network):
    members = members_of(network)
    del members["meta"]

    assert "its member 'meta.npy' is missing" in refusal(write_npz(folder / "meta.npz", members))


def test_huge_meta_is_refused_unread(folder, network, monkeypatch):
    meta = members_of(network)["meta"]
    text = json.dumps(meta).ljust(5000)
    monkeypatch.setattr(storage, "MOST_META_CHARACTERS", len(text))
    exact = write_npz(folder / "full.npz", members_of(network) | {"meta": np.array(text)})

    assert state(load(exact)) == state(network)
    huge = write_npz(folder / "huge.npz", members_of(network) | {"meta": np.array(text + " ")})
    assert "must be text of at most 5000 characters" in refusal(huge)


def test_the_text_of_an_archive_has_room_for_as_many_edges_as_a_json_file():
    """The header of a member counts the characters: its pattern must admit as many digits."""
    most = storage.MOST_META_CHARACTERS

    assert most == storage.MOST_BYTES[".json"]
    assert 4 * most <= storage.MOST_BYTES[".npz"]
    assert storage._NPY_HEADER.fullmatch(
        f"{{'descr': '<U{most}', 'fortran_order': False, 'shape': (), }}\n"
    )


def many_symbolic_edges(n):
    """Return a layer whose n^2 edges are all sines."""
    sine, zeros = kr.LIBRARY["sin"], np.zeros((n, n))
    edges = [SymbolicEdge(j, i, sine, j * n + i) for j in range(n) for i in range(n)]
    knots = np.tile(np.arange(-1.0, 3.0), (n, 1))
    affine = np.random.default_rng(0).standard_normal((n * n, 4))
    return Network(
        (Layer(knots, np.zeros((n, n, 2)), zeros, zeros, zeros, 1, "silu", edges, affine),)
    )


@pytest.mark.long
def test_a_network_with_thousands_of_symbolic_edges_is_saved_and_loaded(folder):
    network = many_symbolic_edges(150)

    for suffix in SUFFIXES:
        save(network, folder / f"many{suffix}")
        found = load(folder / f"many{suffix}")
        assert found.theta.tobytes() == network.theta.tobytes()
        assert found.layers[0].symbolic == network.layers[0].symbolic


def test_an_archive_that_could_not_be_loaded_does_not_replace_a_good_one(
    tmp_path, network, monkeypatch
):
    path = tmp_path / "net.npz"
    save(network, path)
    monkeypatch.setattr(storage, "MOST_META_CHARACTERS", 5000)

    with pytest.raises(
        ValueError,
        match=r"^network is too large for a file that can be read again \(its member 'meta.npy' must be "
        "text of at most 5000 characters",
    ):
        save(many_symbolic_edges(20), path)

    assert state(load(path)) == state(network)


@pytest.mark.parametrize("code", [0x110000, 0xD800, 0xFFFFFFFF])
def test_meta_of_impossible_characters_is_refused(folder, code):
    members = raw_members(tiny_network())
    members["meta.npy"] = members["meta.npy"][:-4] + code.to_bytes(4, "little")

    refusal(write_zip(folder / "code.npz", members.items()))


# --- JSON by itself


def tiny_json(**replaced):
    """Return the JSON text of a tiny network, with some values replaced by raw text."""
    plain = {
        "degree": "0",
        "base": '"silu"',
        "knots": "[[0, 1, 2]]",
        "coef": "[[[1, 2]]]",
        "w_base": "[[1]]",
    }
    plain |= {"w_spline": "[[1]]", "mask": "[[1]]"}
    body = ",".join(f'"{key}":{text}' for key, text in (plain | replaced).items())
    return '{"format":"kan_ref network","version":1,"kan_ref":"0","layers":[{' + body + "}]}"


def test_the_tiny_text_is_read(folder):
    assert load(write_json(folder / "tiny.json", tiny_json())).layers[0].coef.tolist() == [
        [[1.0, 2.0]]
    ]


@pytest.mark.parametrize(
    ("coef", "sentence"),
    [
        ("[[[1, true]]]", "layer 0: 'coef' contains True, but needs numbers"),
        ("[[[false, 2]]]", "layer 0: 'coef' contains False, but needs numbers"),
        ("[[[1, null]]]", "layer 0: 'coef' contains None, but needs numbers"),
        ('[[[1, "2"]]]', "layer 0: 'coef' contains '2', but needs numbers"),
        ("[[[1, {}]]]", "layer 0: 'coef' contains {}, but needs numbers"),
        ("[[[1, [2]]]]", "layer 0: 'coef' contains "),
        ("[[[1, 2], [3]]]", "needs numbers in rows of one length"),
        ("[[[1], 2]]", "layer 0: 'coef' contains "),
        (
            "[[[1, 1e999]]]",
            "layer 0: coef contains inf at axis 0 0, axis 1 0, axis 2 1, but needs finite numbers",
        ),
        (
            "[[[-1e999, 2]]]",
            "layer 0: coef contains -inf at axis 0 0, axis 1 0, axis 2 0, but needs finite numbers",
        ),
        ("[[[1, NaN]]]", "layer 0: coef contains nan"),
        ("[[[-Infinity, 2]]]", "layer 0: coef contains -inf"),
        (f"[[[1, {'9' * 10**5}]]]", "layer 0: coef contains inf"),
        ("[]", "layer 0: coef has shape (0,)"),
        ("[[[]]]", "layer 0: coef has shape (1, 1, 0)"),
        ("true", "needs an array of numbers as 'coef'"),
        ("1", "needs an array of numbers as 'coef'"),
        ("null", "needs an array of numbers as 'coef'"),
        ('"12"', "needs an array of numbers as 'coef'"),
        ('{"0": 1}', "needs an array of numbers as 'coef'"),
        ('[[[1, 2]]], "coef":[[[1, 2]]]', "it has a repeated key"),
        ("[" * 90 + "1" + "]" * 90, "layer 0"),
        ("[" * 10**6, "it is nested too deeply"),
        ("[" * 10**6 + "]" * 10**6, "it is nested too deeply"),
        ('{"a":' * 10**5 + "1" + "}" * 10**5, "it is nested too deeply"),
        ("[[[1, 2]]", "Expecting ',' delimiter"),
        ("[[[1, 02]]]", "Expecting ',' delimiter"),
        ("[[[1, +2]]]", "Expecting value"),
        ("[[[1, 0x10]]]", "Expecting ',' delimiter"),
    ],
)
def test_a_json_array_of_anything_but_numbers_is_refused(folder, coef, sentence):
    assert sentence in refusal(write_json(folder / "coef.json", tiny_json(coef=coef)))


def test_a_key_twice_at_the_top_is_refused(folder):
    assert "it has a repeated key" in refusal(
        write_json(folder / "twice.json", tiny_json()[:-1] + ',"version":1}')
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_in_another_encoding_is_refused(folder, encoding):
    path = folder / "encoding.json"
    path.write_text(tiny_json(), encoding=encoding)

    refusal(path)


@pytest.mark.parametrize("rest", ["x", "{}", "\0", ","])
def test_anything_after_the_document_is_refused(folder, rest):
    assert "Extra data" in refusal(write_json(folder / "rest.json", tiny_json() + rest))


# --- hostile archives


def patched(data, *patches):
    """Return a copy of an archive with other bytes after the first header of a kind: (b"PK..", offset, bytes)."""
    changed = bytearray(data)
    for sign, offset, new in patches:
        start = changed.index(sign) + offset
        changed[start : start + len(new)] = new
    return bytes(changed)


DIRECTORY, HEADER = b"PK\1\2", b"PK\3\4"


class Trap:
    """What unpickling would run: it creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("place", ["meta", "layer_0_coef", "layer_0_extra", "trap"])
def test_a_pickle_is_refused_and_never_run(tmp_path, network, place):
    sprung = tmp_path / "sprung"
    trap = np.empty((), dtype=object)
    trap[()] = Trap(sprung)
    path = write_npz(tmp_path / "trap.npz", members_of(network) | {place: trap})

    refusal(path)
    assert not sprung.exists()

    with np.load(path, allow_pickle=True) as file, contextlib.suppress(AttributeError):
        file[place].item().close()
    assert sprung.exists()  # the trap does work


def test_nothing_is_written_for_members_whose_names_are_paths(tmp_path, network):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    members = raw_members(network)
    for name in (
        "../layer_0_coef.npy",
        "/layer_0_coef.npy",
        "..\\x.npy",
        "a/meta.npy",
        "./meta.npy",
        "meta.npy/",
        "layer_0_coef.npy\n",
    ):
        path = write_zip(
            inner / "path.npz", [*members.items(), (name, members["layer_0_coef.npy"])]
        )

        refusal(path)
        assert [entry.name for entry in tmp_path.rglob("*")] == ["a", "b", "path.npz"]


@pytest.mark.parametrize("name", ["meta.npy", "layer_0_coef.npy"])
def test_a_member_twice_is_refused(folder, network, name):
    members = raw_members(network)

    with pytest.warns(UserWarning, match="Duplicate name"):
        path = write_zip(folder / "twice.npz", [*members.items(), (name, members[name])])

    assert "a member occurs twice" in refusal(path)


def test_members_on_top_of_each_other_are_refused(folder):
    path = folder / "overlap.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a.npy"), bytes(10**5))
        for number in range(50):
            again = copy.copy(archive.filelist[0])
            again.filename = f"{number}.npy"
            archive.filelist.append(again)

    assert "overlaps another" in refusal(path)


def test_an_encrypted_member_is_refused(folder):
    data = storage.npz_bytes(network_to_plain(tiny_network()))
    (folder / "locked.npz").write_bytes(patched(data, (DIRECTORY, 8, b"\1"), (HEADER, 6, b"\1")))

    assert "encrypted" in refusal(folder / "locked.npz")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_is_refused_before_it_is_unpacked(folder, network, method):
    path = folder / "bomb.npz"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in raw_members(network).items():
            archive.writestr(name, data)
        archive.writestr("layer_0_extra.npy", bytes(10**7))

    assert "a member is compressed, but must be stored uncompressed" in refusal(path)
    assert peak_memory(path) < 10**6


@pytest.mark.parametrize(
    "patches",
    [
        [
            (DIRECTORY, 10, b"\10\0"),
            (HEADER, 8, b"\10\0"),
        ],  # says that it is deflated, at its full size
        [(DIRECTORY, 20, b"\20\0\0\0")],  # packed smaller than it is
        [(DIRECTORY, 24, b"\20\0\0\0")],  # unpacked smaller than it is
    ],
)
def test_a_member_of_two_sizes_or_another_method_counts_as_compressed(folder, patches):
    data = storage.npz_bytes(network_to_plain(tiny_network()))
    (folder / "patched.npz").write_bytes(patched(data, *patches))

    assert "a member is compressed, but must be stored uncompressed" in refusal(
        folder / "patched.npz"
    )


def test_a_member_that_runs_over_the_end_is_refused(folder):
    path = write_zip(folder / "over.npz", [("meta.npy", bytes(10**4))])
    size = (path.stat().st_size - 1).to_bytes(4, "little")
    path.write_bytes(patched(path.read_bytes(), (DIRECTORY, 20, 2 * size)))

    assert "it is not a valid zip archive: " in refusal(path)


def test_a_member_beyond_all_memory_is_refused(folder):
    path = folder / "far.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("meta.npy"), b"")
        archive.filelist[0].header_offset = 2**63

    assert "it is not a valid zip archive: " in refusal(path)


def test_a_name_as_long_as_a_book_does_not_fill_the_sentence(folder):
    path = write_zip(folder / "name.npz", [("n" * 60000, b"")])
    assert "its member 'meta.npy' is missing" in refusal(path)

    path.write_bytes(patched(path.read_bytes(), (HEADER, 30, b"N")))

    assert "it is not a valid zip archive: File name in directory 'nnn" in refusal(path)


def peak_memory(path):
    """Return the largest number of bytes that `load` uses while it rejects a file."""
    tracemalloc.start()
    try:
        refusal(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def npy(shape, body, descr="<f8", order="False"):
    header = f"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode("latin-1") + body


def test_the_handmade_array_is_read_as_numpy_reads_it(folder):
    members = raw_members(tiny_network())
    members["layer_0_coef.npy"] = npy("(1, 1, 2)", np.array([3.0, 4.0]).tobytes())

    assert load(write_zip(folder / "hand.npz", members.items())).layers[0].coef.tolist() == [
        [[3.0, 4.0]]
    ]


@pytest.mark.parametrize(
    "member",
    [
        npy("(1, 1, 1000000000000)", bytes(16)),
        npy("(1, 1, 3)", bytes(16)),
        npy("(1, 1, 1)", bytes(16)),
        npy("(1, 1, 2)", b""),
        npy("(0, 1, 1000000000000)", b""),
        npy("(4294967296, 4294967296, 2)", bytes(16)),
        npy("(18446744073709551617, 1, 2)", bytes(16)),
        npy("(1, 1, -2)", bytes(16)),
        npy("(1, 1, 2.0)", bytes(16)),
        npy("(1, 1, 2L)", bytes(16)),
        npy("(1, 1, True)", bytes(16)),
        npy("(" * 50 + ")" * 50, bytes(16)),
        npy("(2,)", bytes(16)),
        npy("()", bytes(8)),
        npy("(1, 1, 2)", bytes(16), descr="|O"),
        npy("(1, 1, 2)", bytes(16), descr="<U2"),
        npy("(1, 1, 2)", bytes(0), descr="<U0"),
        npy("(1, 1, 2)", bytes(16), descr="<U99999999"),
        npy("(1, 1, 2)", bytes(16), order="0"),
        npy("(1, 1, 2), 'more': 1", bytes(16)),
        npy("(1, 1, 2)", bytes(16)).replace(b"NUMPY\1", b"NUMPY\2"),
        npy("(1, 1, 2)", bytes(16)).replace(b"NUMPY", b"numpy"),
        npy("(1, 1, 2)", bytes(16))[:9],
        npy("(1, 1, 2)", bytes(16))[:60],
        npy("(" + "1, " * 99 + "2)", bytes(16)),
        b"",
        b"\x80\x04N.",
    ],
)
def test_an_array_that_lies_about_its_size_or_kind_is_refused_without_memory_for_it(folder, member):
    members = raw_members(tiny_network()) | {"layer_0_coef.npy": member}
    path = write_zip(folder / "lie.npz", members.items())

    sentence = refusal(path)

    assert "coef" in sentence or "itemsize" in sentence
    assert peak_memory(path) < 10**6


def test_a_directory_that_lies_about_sizes_is_refused_without_memory_for_it(folder):
    data = storage.npz_bytes(network_to_plain(tiny_network()))
    (folder / "sizes.npz").write_bytes(
        patched(data, (DIRECTORY, 20, 2 * (2**31).to_bytes(4, "little")))
    )

    assert "overlaps another" in refusal(folder / "sizes.npz")
    assert peak_memory(folder / "sizes.npz") < 10**6


def test_a_directory_of_a_million_members_is_refused_unread(folder, monkeypatch):
    path = write_zip(folder / "many.npz", [(f"{number}.npy", b"") for number in range(100)])
    assert "'meta.npy' is missing" in refusal(path)

    monkeypatch.setattr(storage, "MOST_DIRECTORY_BYTES", 5000)

    assert "does not end like a small zip archive" in refusal(path)


def test_the_64_bit_directory_which_hides_its_true_length_is_refused(folder, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = write_zip(folder / "zip64.npz", raw_members(tiny_network()).items())
    assert b"PK\6\7" in path.read_bytes()

    assert "does not end like a small zip archive" in refusal(path)


# --- chance


def flipped(data, rng, flips):
    changed = bytearray(data)
    for position in rng.integers(len(data), size=flips):
        changed[position] ^= 1 << rng.integers(8)
    return bytes(changed)


def repaired(rng):
    """Return an .npz file with one bit flipped in one member, still valid as an archive."""
    members = raw_members(tiny_network())
    name = str(rng.choice(list(members)))
    buffer = io.BytesIO()
    write_zip(
        buffer,
        [(key, flipped(data, rng, 1) if key == name else data) for key, data in members.items()],
    )
    return buffer.getvalue()


def outcome(path):
    """Return whether a file is loaded; check that the result is a network or the error has one message."""
    network = answer(path)
    if isinstance(network, str):
        assert network.startswith(f"{path} holds no network that can be read: ")
        return "refused"
    assert np.isfinite(network.theta).all()
    assert np.isfinite(network.layers[0].knots).all()
    return "read"


@both_formats
@given(seed=seeds, flips=st.integers(1, 3))
def test_flipped_bits_give_a_network_or_a_refusal(folder, suffix, seed, flips):
    path, rng = folder / f"flipped{suffix}", np.random.default_rng(seed)
    document = network_to_plain(tiny_network())
    data = (
        storage.npz_bytes(document)
        if suffix == ".npz"
        else documents.json_text(document, "\n").encode()
    )

    for _ in range(20):
        path.write_bytes(flipped(data, rng, flips))
        outcome(path)


@given(seed=seeds)
def test_flipped_bits_in_sound_archives_give_a_network_or_a_refusal(folder, seed):
    rng = np.random.default_rng(seed)

    for _ in range(20):
        (folder / "repaired.npz").write_bytes(repaired(rng))
        outcome(folder / "repaired.npz")


def test_flipped_bits_lead_both_ways(folder):
    rng, found = np.random.default_rng(0), set()
    for _ in range(100):
        (folder / "ways.npz").write_bytes(repaired(rng))
        found.add(outcome(folder / "ways.npz"))

    assert found == {"read", "refused"}


# --- manners


@both_formats
def test_saving_and_loading_leave_no_trace_in_the_process(tmp_path, network, suffix):
    np.random.seed(1)  # noqa: NPY002 (the legacy state is what must not move)
    before = np.random.get_state()[1].tobytes(), os.getcwd(), np.geterr()  # noqa: NPY002

    save(network, tmp_path / f"net{suffix}")
    load(tmp_path / f"net{suffix}")

    assert (np.random.get_state()[1].tobytes(), os.getcwd(), np.geterr()) == before  # noqa: NPY002
    assert [path.name for path in tmp_path.iterdir()] == [f"net{suffix}"]


def test_a_network_of_a_million_parameters_takes_no_more_room_than_its_numbers(tmp_path):
    layer = random_layer(
        np.random.default_rng(0), 100, 400, degree=3, n_intervals=20, kind="uniform"
    )
    network = Network((layer,))

    save(network, tmp_path / "large.npz")

    numbers = sum(getattr(layer, name).nbytes for name in ARRAYS)
    assert network.n_params == 10**6
    assert (tmp_path / "large.npz").stat().st_size < numbers + 3000
    assert state(load(tmp_path / "large.npz")) == state(network)
