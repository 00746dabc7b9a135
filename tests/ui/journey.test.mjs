/**
 * The main job, end to end, with no fake part: the real app in a real window, a real browser at the
 * mock server's portal, the operating system's own hand-over back, a real keychain; then offline.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { App } from "./lib/app.mjs";
import { Browser } from "./lib/browser.mjs";
import { Desktop } from "./lib/desktop.mjs";
import { beginSignIn, openFirstRecord, passPortal, recordJson, takeAuthorizationAddress, waitForSync } from "./lib/journey.mjs";
import { secretsOf } from "./lib/keychain.mjs";
import { Mock } from "./lib/mock.mjs";
import { APP } from "./lib/places.mjs";
import { stepsOf } from "./lib/steps.mjs";
import { sweep } from "./lib/sweep.mjs";
import { until } from "./lib/processes.mjs";

const SECTIONS = ["problems", "medications", "allergies", "immunizations", "labs", "vitals", "procedures", "encounters", "documents", "carePlans", "goals"];
const KEYCHAIN_SERVICE = "org.satchel.desktop";

/** True when every row ends before the next one begins. */
const ROWS_APART = `
  const rows = [...document.querySelectorAll('[data-testid="record-row"]')].map((row) => row.getBoundingClientRect());
  rows.sort((one, other) => one.top - other.top);
  return rows.length > 1 && rows.every(({ bottom }, index) => index + 1 === rows.length || bottom <= rows[index + 1].top + 1);
`;

/** True when something is painted on every plot. */
const PLOT_DRAWN = `
  const plots = [...document.querySelectorAll('[data-testid="trend-plot"] canvas')];
  const painted = (plot) => plot.getContext("2d").getImageData(0, 0, plot.width, plot.height).data.some((value) => value > 0);
  return plots.length > 0 && plots.every(painted);
`;

test("register, sign in, pull the chart, read it offline", async (t) => {
  let desktop;
  let mock;
  let browser;
  let app;
  const step = stepsOf(t, () => desktop);
  const seen = {};
  try {
    await step("a desktop, a keychain, a mock server with synthetic people", async () => {
      desktop = await Desktop.open("journey");
      mock = await Mock.start(desktop);
    });
    const start = () => App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });

    await step("the app starts and offers the server", async () => {
      app = await start();
      await app.find("server-card", { where: { "data-base": mock.base } });
      await app.screenshot("connect");
    });

    await step("choosing it opens the system browser at the portal", async () => {
      await beginSignIn(app, mock);
      seen.address = await takeAuthorizationAddress(desktop, mock);
      await app.screenshot("sign-in-in-progress");
    });

    await step("the person signs in and consents in the browser", async () => {
      browser = await Browser.start(desktop, mock.origin);
      await mock.slow(250, 24);
      await passPortal(browser, mock, seen.address, { onPage: (name) => browser.screenshot(name) });
    });

    await step("the browser hands back to the running app, and the chart arrives", async () => {
      seen.progress = await watchProgress(app);
      await waitForSync(app);
      const patient = await mock.patient();
      seen.family = patient.name[0].family;
      const shown = await app.text("patient-name");
      assert.ok(shown.includes(seen.family), `the header names the patient, not "${shown}"`);
      await app.screenshot("chart");
      await desktop.screenshot("whole-screen");
      assert.equal(desktop.processesOf(APP).length, 1, "one app runs, not two");
      assert.equal(desktop.addressesWaiting(), 0, "the browser was asked once");
    });

    await step("the progress bar told how far it was and never went back", () => {
      assert.ok(seen.progress.length > 0, "a progress bar was seen");
      const sorted = [...seen.progress].sort((a, b) => a - b);
      assert.deepEqual(seen.progress, sorted);
    });

    await step("the chart has every section, filled", async () => {
      for (const section of SECTIONS) {
        const text = await app.text(`section-${section}`);
        assert.match(text, /[1-9]/, `${section} holds records: "${text}"`);
      }
    });

    await step("the timeline has everything by day, and a measurement is drawn over time", async () => {
      await app.click("section-timeline");
      await app.find("record-row");
      await app.screenshot("timeline");
      await openFirstRecord(app, "vitals");
      await app.find("trend-plot");
      await until("the plot is drawn", () => app.web.execute(PLOT_DRAWN));
      await app.screenshot("trend");
      await app.click("record-close");
    });

    await step("a record opens in plain words, and as JSON byte for byte", async () => {
      await openFirstRecord(app, "problems");
      seen.title = (await app.text("record-row")).split("\n")[0];
      await until("no row of the narrowed list covers the next", () => app.web.execute(ROWS_APART));
      await app.screenshot("record");
      const shown = await recordJson(app);
      await app.screenshot("record-json");
      const record = JSON.parse(shown);
      assert.equal(record.resourceType, "Condition");
      assert.equal(shown, await mock.resource("Condition", record.id), "what is shown is what the server sends");
    });

    await step("search finds it", async () => {
      await app.click("nav-search");
      await app.fill("search-input", seen.title.split(/\W+/).find((word) => word.length > 3));
      await app.find("search-hit");
      await app.screenshot("search");
      await app.click("search-hit");
      await app.find("record-detail");
    });

    await step("the connection says when it was last synced, and syncs again on request", async () => {
      await app.click("nav-connections");
      await app.find("connection-card");
      await app.screenshot("connections");
      await app.click("sync-now");
      await app.gone("sync-progress", { ms: 60_000 });
    });

    await step("without the server, the restarted app still shows everything", async () => {
      seen.tokens = await mock.tokens();
      await browser.close();
      await app.close();
      await mock.stop();
      app = await start();
      assert.ok((await app.text("patient-name")).includes(seen.family));
      await app.find("offline-banner");
      await app.screenshot("chart-offline");
      for (const section of SECTIONS) assert.match(await app.text(`section-${section}`), /[1-9]/);
      await openFirstRecord(app, "labs");
      await until("no row of the narrowed list covers the next", () => app.web.execute(ROWS_APART));
      await app.screenshot("record-offline");
      assert.ok(["Observation", "DiagnosticReport"].includes(JSON.parse(await recordJson(app)).resourceType));
    });

    await step("in dark colours it looks right too", async () => {
      await app.close();
      desktop.preferDark();
      app = await start();
      await app.find("patient-name");
      await app.screenshot("chart-dark");
      assert.equal(await app.web.execute("return matchMedia('(prefers-color-scheme: dark)').matches"), true);
    });

    await step("after a crash too", async () => {
      await app.kill();
      app = await start();
      assert.ok((await app.text("patient-name")).includes(seen.family));
    });

    await step("no secret lies anywhere: profile, folders, logs, command lines", async () => {
      await app.close();
      const stored = await secretsOf(desktop, KEYCHAIN_SERVICE);
      assert.ok(stored.length >= 2, `the keychain holds the database key and this installation's key: ${stored.map((s) => s.username)}`);
      const secrets = { "the family name": seen.family };
      seen.tokens.forEach((token, index) => { secrets[`token ${index}`] = token; });
      stored.forEach(({ username, secret }) => { secrets[`keychain entry ${username}`] = secret; });
      assert.ok(seen.tokens.length >= 2, "an access token and a refresh token were given out");

      const folders = [desktop.root, join(desktop.artifacts, "logs")];
      const { found, files, bytes } = sweep({
        folders,
        texts: { "a command line": desktop.watch.commandLines().join("\n") },
        // The keychain's own file (encrypted), and the server's log, which is not on this computer in life.
        except: (path) => path.startsWith(join(desktop.root, "data/keyrings/")) || path === desktop.log("mock"),
        secrets,
      });
      t.diagnostic(`searched ${files} files, ${bytes} bytes, ${desktop.watch.commandLines().length} command lines for ${Object.keys(secrets).length} secrets`);
      assert.ok(desktop.watch.commandLines().some((line) => line.startsWith(APP)), "the app's command line was among them");
      assert.deepEqual(found, []);
    });

    await step("the database is not SQLite in clear", () => {
      const database = join(desktop.env.XDG_DATA_HOME, "org.satchel.desktop", "satchel.db");
      const bytes = readFileSync(database);
      // Not "data": the file begins with a random salt, which `file` takes for one thing or another now and then.
      assert.doesNotMatch(execFileSync("file", ["--brief", database]).toString(), /SQLite/);
      assert.ok(bytes.length > 100_000, "it holds the chart");
      assert.ok(!bytes.includes("SQLite format"));
      assert.ok(looksRandom(bytes), "each page of it looks like noise");
    });

    await step("closed, it leaves no process behind", async () => {
      await until("the app is gone", () => desktop.processesOf(APP).length === 0);
    });
  } finally {
    await app?.close();
    await mock?.stop();
    await desktop?.close();
  }
});

/** True when in each page no byte is much more frequent than by chance (16 times): zeros or text would be. */
function looksRandom(bytes) {
  for (let page = 0; page < bytes.length; page += 4096) {
    const counts = new Uint16Array(256);
    for (const byte of bytes.subarray(page, page + 4096)) counts[byte] += 1;
    if (Math.max(...counts) > 64) return false;
  }
  return true;
}

/** Values of the progress bar, from the first that shows until it goes away. */
async function watchProgress(app) {
  const values = [];
  await until("a progress bar shows, or the chart is there", async () => {
    const [bar] = await app.web.elements('[data-testid="sync-progress"]');
    if (!bar) return values.length > 0 || (await app.count("patient-name")) > 0;
    const value = await app.web.attribute(bar, "aria-valuenow");
    if (value !== null) values.push(Number(value));
    return false;
  }, { ms: 90_000, every: 20 });
  return values;
}
