"""Files: replaced whole or not at all, read strictly; networks load bit for bit, an old file survives every failure, and no file is harmful.

Damaged JSON texts have one fault each: a value of another type, a key that is missing or twice, a literal in an odd form, broken bytes.
"""

import io
import json
import os
import pickle
import random
import stat
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from cases import for_all
from checkout import ROOT
from hypothesis import given
from hypothesis import strategies as st
from networks import network_cases, random_network, seeds, with_formulas

import kan_ref as kr
from kan_ref.files import parse_json, read_regular, replace_file, replacing
from kan_ref.io import storage
from kan_ref.io.document import ARRAYS, network_from_plain, network_to_plain

# --- jSON texts with one fault each: a value of another type, a key that is missing or twice, a literal in an odd form, broken bytes

# one literal or more of every JSON type, and forms of numbers and texts that readers may take for one another
LITERALS = (
    *("null", "true", "false", "{}", "[]", '""', '"text"', '"1"', '"NaN"', '"\\ud800"'),
    *("0", "1", "2", "-1", "3", "7", "0.5", "-0", "-0.0", "1.0", "3.0", "1e0", "2E0", "10e-1", "1e999"),
    *("-1e999", "1e-999", "NaN", "Infinity", "-Infinity", "9007199254740993", "1234567890123456"),
    *("1" + "0" * 400, "01", "+1", ".5", "1.", "0x1", "[[]]", "[[[]]]", '{"a": 1}', "[1, [2]]"),
    *("[[0.5]]", "[[[0.5]]]", "[null]", '["a", 1]', "[" * 50 + "]" * 50, "[" * 5000 + "]" * 5000),
    *('{"a":' * 5000 + "1" + "}" * 5000, '"' + "a" * 200 + '"', "'a'", "undefined", '"\t"', "/**/1"),
)  # fmt: skip
BYTES = (b"\xef\xbb\xbf", b"\xff", b"\x00", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc2\xa0",
         b"\xe2\x80\xa8", b"\x0b", b"\x0c", b" \t\r\n", b",", b"]", b"}", b'"', b"//", b"\xc3\xa9")  # fmt: skip
JSON_FAULTS = (
    "replace",
    "replace",
    "replace",
    "delete",
    "repeat",
    "repeat other",
    "rename",
    "swap",
    "bytes",
    "cut",
    "none",
)


def places_in(value, so_far=()):
    """Yield the place of every value in nested lists and dicts, as a tuple of keys and indices."""
    yield so_far
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places_in(item, (*so_far, key))


def _write(value, place, fault, rng):
    """Return a value as JSON, with the fault at the place, which is () where the fault is here."""
    if place is None or (place == () and fault in ("none", "bytes", "cut")):
        return json.dumps(value)
    if place == ():
        return rng.choice(LITERALS)
    entries = []
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        name = f"{json.dumps(key)}: " if isinstance(value, dict) else ""
        if key != place[0]:
            entries.append(name + json.dumps(item))
        elif len(place) > 1:
            entries.append(name + _write(item, place[1:], fault, rng))
        elif fault == "replace":
            entries.append(name + rng.choice(LITERALS))
        elif fault == "repeat":
            entries += [name + json.dumps(item)] * 2
        elif fault == "repeat other":
            entries += [name + rng.choice(LITERALS), name + json.dumps(item)][:: rng.choice((1, -1))]
        elif fault == "rename":
            other = rng.choice(['"__proto__"', '"constructor"', '"more"', '""', json.dumps(str(key).upper())])
            entries.append((f"{other}: " if name else "") + json.dumps(item))
        elif fault == "swap":
            entries.insert(0, name + json.dumps(item))
        elif fault != "delete":
            entries.append(name + json.dumps(item))
    return "{" + ", ".join(entries) + "}" if isinstance(value, dict) else f"[{', '.join(entries)}]"


def damaged(document, seed):
    """Return the bytes of a document with one fault, at a place and of a kind that the seed chooses.

    Places near the root are as likely as those in long lists of numbers. Some faults change nothing that counts.
    """
    rng = random.Random(seed)
    places = list(places_in(document))
    depth = rng.choice(sorted({len(place) for place in places}))
    place = rng.choice([place for place in places if len(place) == depth])
    fault = rng.choice(JSON_FAULTS)
    content = _write(document, place, fault, rng).encode("utf-8", "surrogatepass")
    if fault == "bytes":
        # between two tokens, or in a text
        at = rng.choice([n for n, byte in enumerate(content) if byte in b' ",:[{'] + [0, len(content)])
        content = content[:at] + rng.choice(BYTES) + content[at:]
    return content[: rng.randrange(len(content))] if fault == "cut" else content


# --- files: replaced whole or not at all, read strictly; networks load bit for bit, an old file survives every failure, and no file is harmful

# --- the atomic replacement of a file: all of the new content, or the old file and nothing beside it; strict reading


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


@for_all("text", [b"\xff", b"{", b"", b"[NaN]", b"[-Infinity]", b'{"a": 1, "b": {"c": 1, "c": 1}}', b"[" * 10**5])
def test_what_is_no_strict_json_is_one_value_error(text):
    with pytest.raises(ValueError, match=r"^it "):
        parse_json(text)


# --- files of networks: they load bit for bit, an old file survives every failure, and no file is harmful

RNG = np.random.default_rng
SUFFIXES = (".npz", ".json")
EXTREMES = (-0.0, 0.0, 5e-324, 2.2250738585072014e-308, -1.7e308, 0.1, 1 / 3, 2**53 + 1.0, 1e22)

both_formats = pytest.mark.parametrize("suffix", SUFFIXES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("networks")


NETWORK = random_network(RNG(0), widths=(2, 3, 1))
NAMED = with_formulas(RNG(1), random_network(RNG(1)))


def state(network):
    """Return everything in a network as bytes and text."""
    return [
        (layer.degree, layer.base, layer.symbolic,
         [(getattr(layer, name).shape, getattr(layer, name).tobytes()) for name in (*ARRAYS, "affine")])
        for layer in network.layers
    ]  # fmt: skip


def plain_lists(network):
    return json.loads(json.dumps(network_to_plain(network), default=lambda array: array.tolist()))


def refuses(path, named="no network"):
    """Check that `load` refuses a file in one line with its name, and does not change it."""
    before = path.read_bytes()
    with pytest.raises(ValueError, match=named) as caught:
        kr.load(path)
    assert str(caught.value).startswith(f"{path} holds no network that can be read: ")
    assert path.read_bytes() == before


# --- what is saved comes back


@given(case=network_cases(), suffix=st.sampled_from(SUFFIXES), seed=seeds)
def test_a_network_comes_back_bit_for_bit(folder, case, suffix, seed):
    """Also numbers of extreme sizes and zeros of both signs."""
    network, rng = case[0], RNG(seed)
    chosen = rng.random(network.n_params) < 0.3
    network = network.with_theta(np.where(chosen, rng.choice(EXTREMES, network.n_params), network.theta))

    kr.save(network, folder / f"any{suffix}")

    assert state(kr.load(folder / f"any{suffix}")) == state(network)


@both_formats
def test_symbolic_edges_come_back_with_the_rows_that_they_share(folder, suffix):
    kr.save(NAMED, folder / f"named{suffix}")

    assert state(kr.load(folder / f"named{suffix}")) == state(NAMED)


@both_formats
def test_the_same_network_gives_the_same_bytes(folder, suffix):
    for name in ("one", "other"):
        kr.save(NAMED, folder / f"{name}{suffix}")

    assert (folder / f"one{suffix}").read_bytes() == (folder / f"other{suffix}").read_bytes()


def test_a_path_may_be_text_and_its_ending_large(folder):
    kr.save(NETWORK, str(folder / "large.NPZ"))

    assert state(kr.load(str(folder / "large.NPZ"))) == state(NETWORK)


def test_numpy_opens_an_npz_file_without_pickle_and_its_own_are_read(folder):
    kr.save(NETWORK, folder / "net.npz")
    with np.load(folder / "net.npz", allow_pickle=False) as file:
        arrays = dict(file)
    np.testing.assert_array_equal(arrays["layer_1_coef"], NETWORK.layers[1].coef)

    np.savez_compressed(folder / "again.npz", **arrays)

    assert state(kr.load(folder / "again.npz")) == state(NETWORK)


def test_a_json_file_has_the_documented_entries_and_one_row_on_a_line(folder):
    kr.save(NETWORK, folder / "net.json")
    text = (folder / "net.json").read_text(encoding="ascii")
    document = json.loads(text)

    assert list(document) == ["format", "version", "kan_ref", "layers"]
    assert list(document["layers"][0]) == ["degree", "base", *ARRAYS]
    assert json.dumps(document["layers"][0]["knots"][0]) in text


def test_a_json_file_of_another_writer_is_read(folder):
    """Whole numbers without points, also those of more digits than an integer of 64 bits has."""
    document = plain_lists(NETWORK)
    document["layers"][0]["w_base"][0] = [3, 10**30]
    (folder / "other.json").write_text(json.dumps(document, indent=2), encoding="utf-8")

    assert kr.load(folder / "other.json").layers[0].w_base[0].tolist() == [3.0, 1e30]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_earlier_versions_of_the_format_are_read(version):
    document = plain_lists(NAMED)

    assert state(network_from_plain({**document, "version": version})) == state(NAMED)


# --- what is not written


@pytest.mark.parametrize("path", ["net.txt", "net", "net.npz.gz"])
def test_another_ending_is_refused(path):
    for call in (lambda: kr.save(NETWORK, path), lambda: kr.load(path)):
        with pytest.raises(ValueError, match=r"^path is .*\.npz"):
            call()


def test_what_could_not_be_loaded_does_not_replace_a_good_file(tmp_path, monkeypatch):
    path = tmp_path / "net.npz"
    kr.save(NETWORK, path)
    before = path.read_bytes()
    sin = kr.LIBRARY["sin"]
    layer = kr.fix_symbolic(NETWORK, 0, output=0, input=0, name="sin").layers[0]
    strange = replace(layer.symbolic[0], function=replace(sin, f=np.cos))
    disguised = kr.Network((replace(layer, symbolic=[strange]), NETWORK.layers[1]))

    with pytest.raises(ValueError, match="nan"):
        kr.save(NETWORK.replace_theta(np.nan * NETWORK.theta), path)
    with pytest.raises(ValueError, match="network has 'sin' in layer 0"):
        kr.save(disguised, path)
    with pytest.raises(TypeError, match="network"):
        kr.save(path, NETWORK)
    monkeypatch.setattr(storage, "MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="the size of the file"):
        kr.save(NETWORK, path)

    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["net.npz"]


@both_formats
@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_full_disk_or_an_interruption_leaves_the_old_file_alone(tmp_path, suffix, step, error, monkeypatch):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(error):
        kr.save(NETWORK, path)

    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]


# --- damaged and foreign files


@both_formats
@pytest.mark.parametrize("data", [b"", b"PK", b"\x93NUMPY\1\0", b"{}", b"[1]", b"text", pickle.dumps([1])])
def test_a_file_of_something_else_is_refused(tmp_path, suffix, data):
    (tmp_path / f"net{suffix}").write_bytes(data)

    refuses(tmp_path / f"net{suffix}")


@both_formats
def test_a_file_cut_short_anywhere_is_refused(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    kr.save(NETWORK, path)
    data = path.read_bytes()

    for end in range(0, len(data) - 2, 211):
        path.write_bytes(data[:end])
        refuses(path)


@given(suffix=st.sampled_from(SUFFIXES), seed=seeds)
def test_flipped_bits_give_a_network_or_a_refusal(folder, suffix, seed):
    path, rng = folder / f"flipped{suffix}", RNG(seed)
    kr.save(NAMED, path)
    data = bytearray(path.read_bytes())
    for place in rng.integers(0, len(data), rng.integers(1, 4)):
        data[place] ^= 1 << rng.integers(8)
    path.write_bytes(data)

    try:
        assert isinstance(kr.load(path), kr.Network)
    except ValueError:
        refuses(path)


@given(seed=seeds)
def test_a_json_file_with_one_fault_is_a_network_or_refused(folder, seed):
    path = folder / "damaged.json"
    path.write_bytes(damaged(plain_lists(NAMED), seed))

    try:
        assert isinstance(kr.load(path), kr.Network)
    except ValueError:
        refuses(path)


def changed(*path, to=None):
    """Return the document of a network as JSON with one entry changed, or taken out where `to` is None."""
    document = plain_lists(kr.fix_symbolic(NETWORK, 0, output=0, input=0, name="sin"))
    place = document
    for step in path[:-1]:
        place = place[step]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(document)


EDGE = ("layers", 0, "symbolic", 0)
FAULTS = [
    (("version",), 4, "version"),
    (("version",), True, "version"),
    (("format",), "another", "format"),
    (("layers",), [], "layers"),
    (("layers",), None, "layers"),
    (("extra",), 1, "extra"),
    (("layers", 0, "extra"), 1, "extra"),
    *[(("layers", 1, name), None, f"layer 1: it lacks '{name}'") for name in (*ARRAYS, "degree")],
    *[(("layers", 0, name, 0), [], name) for name in ARRAYS],
    (("layers", 0, "coef", 0, 0, 0), "1", "coef"),
    (("layers", 0, "mask", 0, 0), True, "mask"),
    (("layers", 0, "mask", 0, 0), 0.5, "mask"),
    (("layers", 0, "w_base", 0, 0), 10**400, "w_base"),
    (("layers", 0, "degree"), 1.0, "degree"),
    (("layers", 0, "base"), "relu", "base"),
    ((*EDGE, "function"), "os.system", "os.system"),
    ((*EDGE, "row"), 7, "row"),
    ((*EDGE, "output"), True, "output"),
    (("layers", 0, "symbolic"), [], "symbolic"),
    (("layers", 0, "affine"), None, "affine"),
]


@pytest.mark.parametrize(("path", "to", "named"), FAULTS)
def test_a_document_with_a_fault_is_refused_by_the_name_of_the_fault(tmp_path, path, to, named):
    (tmp_path / "net.json").write_text(changed(*path, to=to), encoding="utf-8")

    refuses(tmp_path / "net.json", named)


class Trap:
    """An object whose pickle writes a file when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.mark.parametrize("place", ["meta", "layer_0_coef", "trap"])
def test_a_pickle_is_refused_and_never_run(tmp_path, place):
    kr.save(NETWORK, tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "bad.npz", **arrays | {place: np.array(Trap(tmp_path / "hacked"))})

    refuses(tmp_path / "bad.npz")
    assert not (tmp_path / "hacked").exists()


def test_an_array_that_no_layer_has_is_refused(tmp_path):
    kr.save(NETWORK, tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz") as file:
        arrays = dict(file)
    for name in ("layer_0_more", "layer_7_coef", "more"):
        np.savez(tmp_path / "bad.npz", **arrays, **{name: np.zeros(3)})
        refuses(tmp_path / "bad.npz")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """Its arrays are larger than any file may be; unpacking them would raise another error."""
    header = io.BytesIO()
    np.lib.format.write_array(header, np.zeros(0))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("meta.npy", header.getvalue() + bytes(20_000_000))
    monkeypatch.setattr(storage, "MOST_BYTES", 10_000_000)

    refuses(tmp_path / "bomb.npz", "its arrays have 20000")


@both_formats
def test_a_file_above_the_limit_is_not_read(tmp_path, suffix):
    path = tmp_path / f"large{suffix}"
    with open(path, "wb") as file:
        file.truncate(storage.MOST_BYTES + 1)

    with pytest.raises(ValueError, match=str(storage.MOST_BYTES)):
        kr.load(path)
