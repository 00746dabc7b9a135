/** The stretches of the way that several tests walk. */
import assert from "node:assert/strict";
import { choosePatient, decide, signIn } from "./browser.mjs";
import { until } from "./processes.mjs";
import { reference } from "./webdriver.mjs";

/** On Connect: chooses the mock server and a role. The app now opens the system browser. */
export async function beginSignIn(app, mock, role = "patient") {
  await app.click("server-card", { where: { "data-base": mock.base } });
  await app.click(`role-${role}`);
  await app.find("signin-progress");
}

/** Takes the address that the app gave to the system browser, checked for what it must carry. */
export async function takeAuthorizationAddress(desktop, mock) {
  const address = await desktop.nextAddress();
  const url = new URL(address);
  assert.equal(url.origin, mock.origin);
  const parameters = url.searchParams;
  assert.equal(parameters.get("response_type"), "code");
  assert.equal(parameters.get("aud"), mock.base);
  assert.equal(parameters.get("code_challenge_method"), "S256");
  assert.match(parameters.get("code_challenge"), /^[\w-]{43}$/);
  assert.ok(parameters.get("state").length >= 22, "state carries at least 128 bits");
  assert.match(parameters.get("redirect_uri"), /^org\.satchel\.app:\//);
  return address;
}

/** In the browser: signs in, chooses the patient where asked, and approves or denies. */
export async function passPortal(browser, mock, address, { role = "patient", button = "approve", onPage } = {}) {
  const account = mock.account(role);
  await browser.open(address);
  await onPage?.("portal-sign-in");
  await signIn(browser, account);
  if (await browser.page.locator("input[name=patient]:not([type=hidden])").count()) {
    await onPage?.("portal-choose-patient");
    await choosePatient(browser, account.patients[0]);
  }
  await onPage?.("portal-consent");
  await decide(browser, button);
}

/** Everything from Connect to the callback. */
export async function connect({ desktop, app, browser, mock, role }) {
  await beginSignIn(app, mock, role);
  await passPortal(browser, mock, await takeAuthorizationAddress(desktop, mock), { role });
}

/** Waits until the chart is there and no sync runs any more. */
export async function waitForSync(app, { ms = 90_000 } = {}) {
  await app.find("patient-name", { ms });
  await app.gone("sync-progress", { ms });
}

/** Clicks through to a section's first record. */
export async function openFirstRecord(app, section) {
  await app.click(`section-${section}`);
  await app.click("record-row");
  await app.find("record-detail");
}

/** What the JSON tab of the open record holds, character for character. */
export async function recordJson(app) {
  await app.click("tab-json");
  const pre = await app.find("record-json");
  return until("the record's JSON shows", () => app.web.execute("return arguments[0].textContent", reference(pre)));
}
