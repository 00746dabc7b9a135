/** What goes wrong is said in plain words, with a way on; and strangers' links change nothing. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { App } from "./lib/app.mjs";
import { Browser } from "./lib/browser.mjs";
import { Desktop } from "./lib/desktop.mjs";
import { beginSignIn, passPortal, takeAuthorizationAddress, waitForSync } from "./lib/journey.mjs";
import { Mock } from "./lib/mock.mjs";
import { APP } from "./lib/places.mjs";
import { stepsOf } from "./lib/steps.mjs";

test("consent denied, then given; links from strangers in between", async (t) => {
  let desktop;
  let mock;
  let browser;
  let app;
  const step = stepsOf(t, () => desktop);
  let address;
  try {
    await step("a sign-in is begun", async () => {
      desktop = await Desktop.open("denied");
      mock = await Mock.start(desktop);
      app = await App.start(desktop, { env: { SATCHEL_MOCK_SERVER: mock.base } });
      await beginSignIn(app, mock);
      address = await takeAuthorizationAddress(desktop, mock);
    });

    await step("links from other programs do not end it", async () => {
      const redirect = new URL(address).searchParams.get("redirect_uri");
      const links = ["org.satchel.app:/", `${redirect}?code=stolen&state=made-up`, `${redirect}?state=%00%FF&code=`, `${redirect}?code=${"x".repeat(100_000)}&state=long`];
      for (const link of links) {
        await desktop.openLink(link);
        await app.find("signin-progress");
      }
      assert.equal(desktop.processesOf(APP).length, 1);
    });

    await step("the person denies: the app says so", async () => {
      browser = await Browser.start(desktop, mock.origin);
      await passPortal(browser, mock, address, { button: "deny" });
      await app.find("problem", { where: { "data-code": "login.denied" } });
      await app.gone("signin-progress");
      await app.screenshot("denied");
    });

    await step("trying again works", async () => {
      await app.click("signin-retry");
      const again = await takeAuthorizationAddress(desktop, mock);
      assert.notEqual(new URL(again).searchParams.get("state"), new URL(address).searchParams.get("state"));
      await passPortal(browser, mock, again);
      await waitForSync(app);
      await app.screenshot("chart");
    });
  } finally {
    await app?.close();
    await browser?.close();
    await mock?.stop();
    await desktop?.close();
  }
});

test("an address that is no SMART server is refused with the reason", async (t) => {
  const desktop = await Desktop.open("not-smart");
  // A web server that knows nothing about health records.
  const web = createServer((request, response) => response.writeHead(404, { "content-type": "text/html" }).end("<h1>no</h1>"));
  await new Promise((resolve) => web.listen(0, "127.0.0.1", resolve));
  let app;
  try {
    app = await App.start(desktop);
    const cases = [
      ["not an address", "server.not_a_url"],
      ["http://ehr.example.org/fhir", "server.not_https"],
      [`http://127.0.0.1:${web.address().port}/fhir`, "server.not_fhir"],
      ["http://127.0.0.1:9/fhir", "network.unreachable"],
    ];
    for (const [address, code] of cases) {
      await t.test(`${code}: ${address.replace(/:\d+/, "")}`, async () => {
        await app.fill("server-url", address);
        await app.click("server-connect");
        await app.find("problem", { where: { "data-code": code } });
        await app.screenshot(code.replace(".", "-"));
      });
    }
    assert.equal(desktop.addressesWaiting(), 0, "no browser was opened");
  } finally {
    await app?.close();
    web.close();
    await desktop.close();
  }
});

test("H2 a machine without a keychain: the app says what to install and stores nothing", async () => {
  const desktop = await Desktop.open("no-keychain", { keychain: false });
  let app;
  try {
    app = await App.start(desktop);
    const text = await app.text("app-problem");
    await app.screenshot("no-keychain");
    assert.match(text, /gnome-keyring|KWallet/i, `it names something to install: "${text}"`);
  } finally {
    await app?.close();
    await desktop.close();
  }
});
