"""Holds the bill of materials against the schema of CycloneDX, as its own library has it, and against itself."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = open(sys.argv[1], encoding="utf-8").read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if error is not None:
    sys.exit(f"no CycloneDX 1.6: {error}")

bill = json.loads(text)
listed = {component["bom-ref"] for component in bill["components"]}
listed.add(bill["metadata"]["component"]["bom-ref"])
named = {it["ref"] for it in bill["dependencies"]} | {on for it in bill["dependencies"] for on in it["dependsOn"]}
if named != listed:
    sys.exit(f"listed and named differ: {sorted(named ^ listed)}")
bare = [it["name"] for it in bill["components"] if "licenses" not in it]
if bare:
    sys.exit(f"without a licence: {bare}")
