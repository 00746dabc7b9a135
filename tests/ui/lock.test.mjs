/**
 * The lock in the real window: a passphrase is set, the app locked, opened with it, and asked for after a
 * restart; what is copied leaves the clipboard; no title, notification or list of recent files names anybody.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { App } from "./lib/app.mjs";
import { Browser } from "./lib/browser.mjs";
import { Desktop } from "./lib/desktop.mjs";
import { beginSignIn, connect, openFirstRecord, passPortal, recordJson, takeAuthorizationAddress, waitForSync } from "./lib/journey.mjs";
import { secretsOf } from "./lib/keychain.mjs";
import { Mock } from "./lib/mock.mjs";
import { stepsOf } from "./lib/steps.mjs";
import { until } from "./lib/processes.mjs";

const PASSPHRASE = "four plain old words";
const PASTE = "\uE009v\uE000";

test("locked by hand, by time and at start; opened by the passphrase alone", { timeout: 400_000 }, async (t) => {
  let desktop;
  let mock;
  let browser;
  let app;
  const step = stepsOf(t, () => desktop);
  const seen = {};
  try {
    await step("a chart is here", async () => {
      desktop = await Desktop.open("lock");
      mock = await Mock.start(desktop);
      app = await App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });
      browser = await Browser.start(desktop, mock.origin);
      await connect({ desktop, app, browser, mock });
      await waitForSync(app);
      seen.family = (await mock.patient()).name[0].family;
    });
    const start = () => App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });
    const text = () => app.web.execute("return document.documentElement.textContent");

    await step("neither the window's title nor the list of recent files names anybody, on any screen", async () => {
      for (const section of ["problems", "documents"]) {
        await openFirstRecord(app, section);
        assert.deepEqual(await titles(desktop, app), ["Satchel"]);
      }
      for (const place of ["nav-search", "nav-connections", "nav-privacy", "nav-chart"]) {
        await app.click(place);
        assert.deepEqual(await titles(desktop, app), ["Satchel"], place);
      }
      await openFirstRecord(app, "documents");
      await app.click("attachment-save");
      const saved = await app.text("attachment-saved");
      assert.match(saved, /satchel-document-/);
      assert.ok(!saved.toLowerCase().includes(seen.family.toLowerCase()), saved);
      for (const file of filesUnder(desktop.root, /recent/i)) {
        assert.ok(!readFileSync(file, "utf8").includes("satchel"), `${file} lists nothing of ours`);
      }
    });

    await step("a passphrase is set", async () => {
      await app.click("nav-privacy");
      await app.click("passphrase-set");
      await app.fill("passphrase-new", PASSPHRASE);
      await app.fill("passphrase-again", PASSPHRASE);
      await app.screenshot("set-a-passphrase");
      await app.click("passphrase-confirm");
      await app.find("passphrase-standing", { where: { "data-set": "true" } });
      await app.screenshot("privacy");
      const entries = await secretsOf(desktop, "org.satchel.desktop");
      const named = (name) => entries.some(({ username }) => username.endsWith(`#${name}`));
      assert.ok(named("database-key-sealed") && !named("database-key"), "the keychain alone no longer opens it");
    });

    await step("locked, the window holds nothing of the records", async () => {
      await app.click("nav-chart");
      await app.find("patient-name");
      await app.click("lock-now");
      await app.find("lock-screen");
      await app.find("unlock-passphrase");
      assert.ok(!(await text()).includes(seen.family));
      assert.deepEqual(await titles(desktop, app), ["Satchel"]);
      const refused = await app.web.execute("return window.__TAURI_INTERNALS__.invoke('connections_list').then(() => 'answered', ({ code }) => code)");
      assert.equal(refused, "app.locked");
      await app.screenshot("locked");
    });

    await step("a wrong passphrase opens nothing, the right one shows the chart again", async () => {
      await app.fill("unlock-passphrase", "four plain new words");
      await app.click("unlock");
      await app.find("problem", { where: { "data-code": "lock.wrong_passphrase" } });
      await app.screenshot("wrong-passphrase");
      await app.fill("unlock-passphrase", PASSPHRASE);
      await app.click("unlock");
      assert.ok((await app.text("patient-name")).includes(seen.family));
    });

    await step("a sign-in that comes back while it is locked waits for the passphrase", async () => {
      await app.click("nav-connect");
      await beginSignIn(app, mock);
      const address = await takeAuthorizationAddress(desktop, mock);
      await app.click("lock-now");
      await app.find("lock-screen");
      await passPortal(browser, mock, address);
      await app.fill("unlock-passphrase", PASSPHRASE);
      await app.click("unlock");
      await waitForSync(app);
    });

    await step("what is copied can be pasted, and is gone half a minute later; then it locks by itself", async () => {
      await app.click("nav-privacy");
      const idle = await app.find("privacy-idle");
      await app.web.execute(
        "const [field] = arguments; Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, 'value').set.call(field, '1'); field.dispatchEvent(new Event('change', { bubbles: true }))",
        { "element-6066-11e4-a52e-4f735466cecf": idle },
      );
      await app.click("nav-chart");
      await openFirstRecord(app, "problems");
      const json = await recordJson(app);
      await app.click("copy");
      seen.pasted = await until("it can be pasted", async () => (await paste(app)) || undefined);
      assert.ok(seen.pasted.includes(JSON.parse(json).id), seen.pasted);
      await until("the clipboard is empty", async () => (await paste(app)) === "", { ms: 50_000, every: 3000 });
      await app.find("lock-screen", { ms: 90_000 });
    });

    await step("a restart asks for it as well", async () => {
      await app.close();
      app = await start();
      await app.find("lock-screen");
      await app.fill("unlock-passphrase", PASSPHRASE);
      await app.click("unlock");
      assert.ok((await app.text("patient-name")).includes(seen.family));
      await app.click("nav-privacy");
      await app.click("passphrase-remove");
      await app.fill("passphrase-current", PASSPHRASE);
      await app.click("passphrase-confirm");
      await app.find("passphrase-set");
    });
  } finally {
    await app?.close();
    await browser?.close();
    await mock?.stop();
    await desktop?.close();
  }
});

/** Names of the app's windows, as the desktop shows them, and of the page in it. */
async function titles(desktop, app) {
  const tree = execFileSync("xwininfo", ["-root", "-tree"], { env: desktop.env, encoding: "utf8" });
  const named = [...tree.matchAll(/"([^"]*)": \("satchel-desktop" "[^"]*"\)/g)].map(([, title]) => title);
  assert.ok(named.length > 0, tree);
  return [...new Set([...named.filter((title) => title !== "satchel-desktop"), await app.web.execute("return document.title")])];
}

function filesUnder(folder, pattern) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile() && pattern.test(one.name))
    .map((one) => join(one.parentPath ?? one.path, one.name));
}

/** What the clipboard gives to a field of the window now. */
async function paste(app) {
  await app.click("nav-search");
  const field = await app.find("search-input");
  await app.web.clear(field);
  await app.web.type(field, PASTE);
  return app.web.execute("return document.querySelector('[data-testid=\"search-input\"]').value");
}
