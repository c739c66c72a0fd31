"""Check a built wheel and source distribution in a folder: links, files and metadata."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

LINK = re.compile(r"\]\(([^)]+)\)|<img src=\"([^\"]+)\"")


def metadata(wheel: zipfile.ZipFile) -> Message:
    """Return the metadata of a wheel."""
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode("utf-8"))


def relative_links(text: str) -> list[str]:
    """Return the targets of links and pictures that have no address of their own."""
    targets = ["".join(found) for found in LINK.findall(text)]
    return [target for target in targets if not re.match(r"[a-z]+:|#", target)]


def lost(inside: set[str]) -> list[str]:
    """Return the files of the checkout that are not in the source distribution but belong there."""
    root = Path(__file__).parents[1]
    listed = ["git", "-C", root, "ls-files"]
    tracked = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines()
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    excluded = tuple(project["tool"]["hatch"]["build"]["targets"]["sdist"]["exclude"])
    return [name for name in tracked if name not in inside and not name.startswith(excluded)]


def problems(folder: Path) -> list[str]:
    """Return what is wrong with the wheel and the source distribution in a folder."""
    (wheel_file,), (source_file,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    found = []
    with zipfile.ZipFile(wheel_file) as wheel:
        about, names = metadata(wheel), wheel.namelist()
    description = str(about.get_payload())
    found += [f"relative link in the description: {link}" for link in relative_links(description)]
    if len(LINK.findall(description)) < 10:
        found.append("the description has fewer than 10 links: it is not README.md")
    strange = [n for n in names if not n.startswith(("kan_ref/", "kan_ref-"))]
    found += [f"file outside the package: {name}" for name in strange]
    wanted = {"kan_ref/py.typed", "kan_ref/__init__.pyi", "kan_ref/plain.py"}
    found += [f"missing in the wheel: {name}" for name in sorted(wanted - set(names))]
    if not any(n.startswith("kan_ref/conformance/vectors/") and n.endswith(".json") for n in names):
        found.append("missing in the wheel: the conformance vectors")
    with tarfile.open(source_file) as source:
        inside = {name.partition("/")[2] for name in source.getnames()}
    found += [f"missing in the source distribution: {name}" for name in lost(inside)]
    return found


if __name__ == "__main__":
    listed = problems(Path(sys.argv[1]))
    print("\n".join(listed) or "wheel and source distribution: links, files and metadata are right")
    sys.exit(bool(listed))
