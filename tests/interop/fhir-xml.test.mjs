/** The mock server's XML against HL7's own definitions: every element of a whole chart stands where R4 wants it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { signIn, startMock } from "./mock.mjs";
import { ORDER, table } from "./r4-order.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT = "org.example.interop:/callback";

let mock;
before(async () => { mock = await startMock(); });
after(() => mock.stop());

/** What is inside a child, and which place it has; a choice goes by its beginning. */
function childOf(context, name) {
  const children = ORDER.get(context) ?? [];
  const exact = children.findIndex(([child]) => child === name);
  if (exact >= 0) return [exact, children[exact][1]];
  const choice = children.findIndex(([child]) => child.endsWith("[x]") && name.startsWith(child.slice(0, -3)));
  return choice < 0 ? undefined : [choice, name.slice(children[choice][0].length - 3)];
}

/** Walks the tags; gives how many elements were held against a definition, and those that stand wrong. */
function walk(xml) {
  const [wrong, open] = [[], []];
  let held = 0;
  for (const [, end, name, empty] of xml.replace(/<div[\s\S]*?<\/div>(?=<\/text>)/g, "").matchAll(/<(\/?)([A-Za-z]\w*)[^>]*?(\/?)>/g)) {
    if (end) { open.pop(); continue; }
    const parent = open.at(-1);
    let context = name;
    // A resource stands under its own name: at the top, in an entry, in `contained`.
    if (parent && !(ORDER.has(name) && /^[A-Z]/.test(name))) {
      const child = childOf(parent.context, name);
      if (parent.context && ORDER.has(parent.context)) {
        held += 1;
        if (!child) wrong.push(`${parent.context} knows no ${name}`);
        else if (child[0] < parent.place) wrong.push(`${parent.context}: ${name} after ${parent.name}`);
        else [parent.place, parent.name] = [child[0], name];
      }
      context = child?.[1];
    }
    if (!empty) open.push({ context, place: -1, name: "" });
  }
  return { held, wrong };
}

test("the table that the server goes by is the one in HL7's definitions", () => {
  assert.equal(readFileSync(join(HERE, "../../crates/mock/src/fhir/r4-order.txt"), "utf8"), table());
});

test("a wrong order would be seen", () => {
  const { wrong } = walk("<Patient><gender value=\"female\"/><name><given value=\"Ida\"/><family value=\"I\"/></name></Patient>");
  assert.deepEqual(wrong, ["Patient: name after gender", "HumanName: family after given"]);
});

test("a whole chart, a capability statement and a refusal are in R4's order", async () => {
  const post = async (path, body, type) => (await fetch(`${mock.issuer}${path}`, { method: "POST", body, headers: type ? { "content-type": type } : {} })).json();
  const { client_id } = await post("/auth/register", JSON.stringify({ redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" }), "application/json");
  const query = new URLSearchParams({
    response_type: "code", client_id, redirect_uri: REDIRECT, scope: "launch/patient patient/*.rs", state: "s",
    aud: mock.fhir_base, code_challenge: CHALLENGE, code_challenge_method: "S256",
  });
  const callback = new URL(await signIn(`${mock.issuer}/auth/authorize?${query}`, mock.account("patient")));
  const tokens = await post("/auth/token", new URLSearchParams({ grant_type: "authorization_code", code: callback.searchParams.get("code"), redirect_uri: REDIRECT, code_verifier: VERIFIER, client_id }));
  const xml = async (path, token) => {
    const answer = await fetch(`${mock.fhir_base}/${path}`, { headers: { accept: "application/fhir+xml", ...(token ? { authorization: `Bearer ${token}` } : {}) } });
    assert.match(answer.headers.get("content-type"), /^application\/fhir\+xml/);
    return answer.text();
  };
  const answers = [
    await xml(`Patient/${tokens.patient}/$everything?_count=1000`, tokens.access_token),
    await xml("metadata"),
    await xml("Patient"),
  ];
  for (const type of ["Organization", "Practitioner", "PractitionerRole", "Location", "Medication"]) answers.push(await xml(type, tokens.access_token));
  const walked = answers.map(walk);
  assert.deepEqual([...new Set(walked.flatMap(({ wrong }) => wrong))], []);
  assert.ok(walked[0].held > 5000, `only ${walked[0].held} elements were held against a definition`);
});
