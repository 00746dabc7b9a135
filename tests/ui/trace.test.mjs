/** The trace, for testers: switched on, filled by a real sign-in and sync, looked at, exported. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { App } from "./lib/app.mjs";
import { Browser } from "./lib/browser.mjs";
import { Desktop } from "./lib/desktop.mjs";
import { connect, waitForSync } from "./lib/journey.mjs";
import { Mock } from "./lib/mock.mjs";
import { stepsOf } from "./lib/steps.mjs";
import { until } from "./lib/processes.mjs";

/** True when nothing sticks out sideways. */
const FITS = "return document.documentElement.scrollWidth <= window.innerWidth && [...document.querySelectorAll('main *')].every((e) => getComputedStyle(e).overflowX !== 'visible' || e.closest('pre') || e.getBoundingClientRect().right <= window.innerWidth + 1)";

test("a tester sees each step of a sign-in and a sync, and takes it along", async (t) => {
  let desktop;
  let mock;
  let browser;
  let app;
  const step = stepsOf(t, () => desktop);
  try {
    await step("tracing is off, and is switched on", async () => {
      desktop = await Desktop.open("trace");
      mock = await Mock.start(desktop);
      app = await App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });
      await app.click("nav-trace");
      assert.equal(await app.attribute("trace-switch", "aria-checked"), "false");
      await until("the trace was read", async () => app.web.enabled(await app.find("trace-switch")));
      await app.screenshot("off");
      await app.click("trace-switch");
      await app.find("trace-switch", { where: { "aria-checked": "true" } });
    });

    await step("a sign-in and a sync are there, step by step", async () => {
      browser = await Browser.start(desktop, mock.origin);
      await app.click("nav-connect");
      await connect({ desktop, app, browser, mock });
      await waitForSync(app);
      await app.click("nav-trace");
      for (const kind of ["sync", "signInEnd", "signIn"]) await app.find("trace-flow", { where: { "data-kind": kind } });
      await app.web.execute("document.querySelectorAll('[data-testid=trace-flow]').forEach((flow) => { flow.open = flow.dataset.kind === 'signInEnd' })");
      await app.find("trace-step", { where: { "data-number": "C34", "data-outcome": "passed" } });
      await app.web.execute("document.querySelector('[data-kind=signInEnd]').scrollIntoView(); [...document.querySelectorAll('[data-kind=signInEnd] summary')].find((s) => s.textContent.includes('/token')).click()");
      await until("the decoded token shows", async () => (await app.web.execute("return document.querySelector('main').textContent")).includes("client_assertion"));
      await app.screenshot("steps");
      assert.equal(await app.web.execute(FITS), true);
    });

    await step("in a small window, and in the dark", async () => {
      await app.web.resize(420, 760);
      await until("it fits", () => app.web.execute(FITS));
      await app.screenshot("small");
      await app.web.execute("document.querySelector('[data-testid=trace-switch]').scrollIntoView()");
      await app.screenshot("small-top");
      await app.web.resize(1180, 800);
      await app.web.execute("document.documentElement.dataset.theme = 'dark'; document.querySelector('[data-kind=signInEnd]').scrollIntoView()");
      await app.screenshot("dark");
    });

    await step("it is exported, without a token in it", async () => {
      await app.click("trace-export");
      const said = await until("the file is named", async () => /Written to (.*\.har)/.exec(await app.text("trace-saved"))?.[1]);
      const text = readFileSync(said, "utf8");
      assert.equal(JSON.parse(text).log.version, "1.2");
      assert.equal(statSync(said).mode & 0o077, 0);
      const tokens = await mock.tokens();
      const needles = [...JSON.stringify(tokens).matchAll(/"([\w.~-]{20,})"/g)].map(([, token]) => token);
      assert.ok(needles.length >= 2, "an access and a refresh token");
      for (const needle of needles) assert.ok(!text.includes(needle));
    });
  } finally {
    await app?.close();
    await browser?.close();
    await mock?.stop();
    await desktop?.close();
  }
});
