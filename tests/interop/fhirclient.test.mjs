/** npm fhirclient as a public in-browser app, in a real Chromium, against the mock server on another origin. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { startMock } from "./mock.mjs";

const LIBRARY = createRequire(import.meta.url).resolve("fhirclient/build/fhir-client.js");
const BROWSER = [process.env.SATCHEL_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));

const PAGES = {
  "/launch.html": (params) => `<script src="/fhir-client.js"></script><script>
    FHIR.oauth2.authorize({ clientId: ${JSON.stringify(params.get("client_id"))}, scope: ${JSON.stringify(params.get("scope"))},
      iss: ${JSON.stringify(params.get("iss"))}, redirectUri: "/app.html" });
  </script>`,
  "/app.html": () => `<script src="/fhir-client.js"></script><script>
    FHIR.oauth2.ready().then(async (client) => {
      const patient = await client.patient.read();
      const bundles = await client.request("Observation?_count=20&patient=" + client.patient.id, { pageLimit: 0 });
      const count = bundles.flatMap((bundle) => bundle.entry ?? []).length;
      const before = client.state.tokenResponse.access_token;
      await client.refresh();
      const after = client.state.tokenResponse.access_token;
      const again = await client.patient.read();
      return { patient: patient.id, again: again.id, count, refreshed: before !== after, user: client.getFhirUser(), encounter: client.encounter.id };
    }).then((result) => { window.result = result; }, (error) => { window.result = { error: String(error) }; });
  </script>`,
};

let mock;
let site;
let origin;
let browser;

before(async () => {
  mock = await startMock("--lenient", "refresh-without-client-id");
  site = createServer((request, response) => {
    const url = new URL(request.url, "http://app");
    if (url.pathname === "/fhir-client.js") return response.writeHead(200, { "content-type": "text/javascript" }).end(readFileSync(LIBRARY));
    const page = PAGES[url.pathname];
    return page ? response.writeHead(200, { "content-type": "text/html" }).end(page(url.searchParams)) : response.writeHead(404).end();
  });
  await new Promise((done) => site.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${site.address().port}`;
  browser = await chromium.launch({ executablePath: BROWSER, args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
});

after(async () => {
  await browser?.close();
  site?.close();
  mock?.stop();
});

/** Registers the app, signs in at the portal by clicking, and gives what the app found out. */
async function run(page, account, begin) {
  await begin(page);
  await page.waitForSelector("[name=username], [name=approve]");
  if (await page.locator("[name=username]").count()) {
    await page.fill("[name=username]", account.username);
    await page.fill("[name=password]", account.password);
    await page.click("#sign-in");
  }
  await page.click("[name=approve]");
  await page.waitForFunction(() => window.result !== undefined);
  return page.evaluate(() => window.result);
}

async function register(more = {}) {
  const answer = await fetch(`${mock.issuer}/auth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Growth charts", redirect_uris: [`${origin}/app.html`], token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], ...more,
    }),
  });
  return (await answer.json()).client_id;
}

async function observations(patient) {
  const counted = await (await fetch(`${mock.control}/tokens`)).json();
  const answer = await fetch(`${mock.fhir_base}/Observation?patient=${patient}&_summary=count`, { headers: { authorization: `Bearer ${counted.at(-2)}` } });
  return (await answer.json()).total;
}

test("a person opens it, signs in, and it reads every page and refreshes", async () => {
  const client_id = await register();
  const person = mock.account("patient");
  const page = await browser.newPage();
  const query = new URLSearchParams({ client_id, iss: mock.fhir_base, scope: "launch/patient openid fhirUser offline_access patient/*.rs" });
  const result = await run(page, person, (page) => page.goto(`${origin}/launch.html?${query}`));
  assert.equal(result.error, undefined);
  const [patient] = person.patient_ids;
  assert.equal(result.patient, patient);
  assert.equal(result.again, patient);
  assert.equal(result.refreshed, true);
  assert.equal(result.user, `Patient/${patient}`);
  assert.equal(result.count, await observations(patient));
  assert.ok(result.count > 100);
  await page.close();
});

test("a practice opens it from its portal, with the chart and the visit that are open there", async () => {
  const client_id = await register({ initiate_login_uri: `${origin}/ehr.html` });
  // It learns iss and launch from the query of its own address.
  PAGES["/ehr.html"] = () => `<script src="/fhir-client.js"></script><script>
    FHIR.oauth2.authorize({ clientId: ${JSON.stringify(client_id)}, scope: "launch openid fhirUser offline_access user/*.rs", redirectUri: "/app.html" });
  </script>`;
  const doctor = mock.account("provider");
  const page = await browser.newPage();
  const result = await run(page, doctor, async (page) => {
    await page.goto(`${mock.issuer}/portal`);
    await page.fill("[name=username]", doctor.username);
    await page.fill("[name=password]", doctor.password);
    await page.click("button[type=submit]");
    await page.locator(`form[data-client="${client_id}"] select[name=patient]`).selectOption(doctor.patient_ids[1]);
    await page.click(`form[data-client="${client_id}"] button[type=submit]`);
    await page.waitForSelector("[name=username], [name=approve]");
    assert.equal(await page.locator("[name=password]").count(), 0, "signed in at the portal already");
  });
  assert.equal(result.error, undefined);
  assert.equal(result.patient, doctor.patient_ids[1]);
  assert.ok(result.encounter, "the visit");
  await page.close();
});
