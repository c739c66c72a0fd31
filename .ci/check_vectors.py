"""Check the installed wheel `kan-conformance-vectors`, without kan_ref: hashes and schema."""

import hashlib
import importlib.util
import json
import sys

import jsonschema
import kan_conformance_vectors


def main() -> None:
    """Validate every vector file by the schema, and every file by its hash."""
    folder = kan_conformance_vectors.path()
    contract = json.loads((folder / "contract.json").read_text(encoding="utf-8"))
    schema = jsonschema.Draft202012Validator(
        json.loads((folder / "schemas" / "vectors.schema.json").read_text(encoding="utf-8"))
    )
    ids = set()
    for path in sorted((folder / "vectors").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        schema.validate(document)
        ids |= {case["id"] for case in document["cases"]}
    wrong = [
        name
        for name, digest in contract["sha256"].items()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]
    if importlib.util.find_spec("kan_ref") is not None:
        sys.exit("kan_ref is installed here, so that this check shows nothing")
    if wrong or ids != set(contract["cases"]):
        sys.exit(f"files that differ from their hash: {wrong}; cases: {ids ^ {*contract['cases']}}")
    print(f"contract {contract['contract']}: {len(ids)} cases are valid and have their hashes")


if __name__ == "__main__":
    main()
