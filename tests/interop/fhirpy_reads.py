"""PyPI fhirpy against the mock server: counts what it finds, page by page. Reads {base, token, patient} as
JSON from standard input, so that no token stands in the process list; writes the counts as JSON."""

import json
import sys

from fhirpy import SyncFHIRClient

given = json.load(sys.stdin)
client = SyncFHIRClient(given["base"], authorization=f"Bearer {given['token']}")
patient = client.reference("Patient", given["patient"]).to_resource()
counts = {}
for kind in given["types"]:
    found = client.resources(kind).search(patient=given["patient"]).limit(25).fetch_all()
    counts[kind] = {"found": len(found), "distinct": len({one.id for one in found}), "total": client.resources(kind).search(patient=given["patient"]).count()}
labs = client.resources("Observation").search(category="laboratory").fetch_all()
json.dump({"patient": patient.id, "counts": counts, "labs": len(labs)}, sys.stdout)
