/** The app is closed while the person is in the browser: the way back starts it, and it goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./lib/app.mjs";
import { Browser } from "./lib/browser.mjs";
import { Desktop } from "./lib/desktop.mjs";
import { beginSignIn, passPortal, takeAuthorizationAddress } from "./lib/journey.mjs";
import { Mock } from "./lib/mock.mjs";
import { APP } from "./lib/places.mjs";
import { signalOne, until } from "./lib/processes.mjs";
import { stepsOf } from "./lib/steps.mjs";

test("a sign-in survives the end of the app; the callback starts it again", async (t) => {
  let desktop;
  let mock;
  let browser;
  let app;
  const step = stepsOf(t, () => desktop);
  const seen = {};
  try {
    await step("the person is in the browser when the app ends", async () => {
      desktop = await Desktop.open("cold-start");
      mock = await Mock.start(desktop);
      app = await App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });
      await beginSignIn(app, mock);
      seen.address = await takeAuthorizationAddress(desktop, mock);
      await app.close();
      assert.equal(desktop.processesOf(APP).length, 0);
    });

    await step("the callback starts the app, which signs in and pulls the chart", async () => {
      browser = await Browser.start(desktop, mock.origin);
      await passPortal(browser, mock, seen.address);
      const [started] = await until("the app runs again", () => {
        const running = desktop.processesOf(APP);
        return running.length > 0 && running;
      });
      seen.pid = started.pid;
      assert.ok(started.args.some((argument) => argument.startsWith("org.satchel.app:/")), "started by the link");
      seen.records = await mock.quiet();
      await desktop.screenshot("started-by-the-link");
      assert.ok(seen.records > 10, `the chart was pulled: ${seen.records} requests`);
    });

    await step("the chart is there at the next start", async () => {
      // The app first: it was started by the browser and holds the browser's pipes.
      signalOne(seen.pid, "SIGTERM");
      await until("the app ends", () => desktop.processesOf(APP).length === 0);
      await browser.close();
      app = await App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });
      const { family } = (await mock.patient()).name[0];
      assert.ok((await app.text("patient-name")).includes(family));
      await app.find("section-problems");
      await app.screenshot("chart");
    });
  } finally {
    await app?.close();
    await mock?.stop();
    await desktop?.close();
  }
});
