/** PyPI fhirpy reads a whole chart from the mock server, in pages of its own size. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { signIn, startMock } from "./mock.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const PYTHON = join(HERE, ".venv", "bin", "python");
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT = "org.example.interop:/callback";

async function token(mock, person) {
  const post = async (path, body, type) => {
    const answer = await fetch(`${mock.issuer}${path}`, { method: "POST", body, headers: type ? { "content-type": type } : {} });
    return answer.json();
  };
  const { client_id } = await post("/auth/register", JSON.stringify({ redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" }), "application/json");
  const query = new URLSearchParams({
    response_type: "code", client_id, redirect_uri: REDIRECT, scope: "launch/patient patient/*.rs", state: "s",
    aud: mock.fhir_base, code_challenge: CHALLENGE, code_challenge_method: "S256",
  });
  const callback = new URL(await signIn(`${mock.issuer}/auth/authorize?${query}`, person));
  const code = callback.searchParams.get("code");
  const answer = await post("/auth/token", new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: VERIFIER, client_id }));
  return answer.access_token;
}

function python(script, input) {
  return new Promise((done, failed) => {
    const child = spawn(PYTHON, [join(HERE, script)], { stdio: ["pipe", "pipe", "inherit"] });
    let said = "";
    child.stdout.on("data", (data) => { said += data; });
    child.once("error", failed);
    child.once("close", (code) => (code === 0 ? done(JSON.parse(said)) : failed(new Error(`${script} ended with ${code}`))));
    child.stdin.end(JSON.stringify(input));
  });
}

test("fhirpy finds every record once", async () => {
  const mock = await startMock();
  try {
    const person = mock.account("patient");
    const [patient] = person.patient_ids;
    const types = ["Condition", "Observation", "MedicationRequest", "Encounter", "DocumentReference", "Immunization"];
    const read = await python("fhirpy_reads.py", { base: mock.fhir_base, token: await token(mock, person), patient, types });
    assert.equal(read.patient, patient);
    for (const type of types) {
      const { found, distinct, total } = read.counts[type];
      assert.ok(total > 0, type);
      assert.deepEqual({ type, found, distinct }, { type, found: total, distinct: total });
    }
    assert.ok(read.labs > 50 && read.labs < read.counts.Observation.total);
  } finally {
    mock.stop();
  }
});
