/** Finding a server in the real window: a list is imported, searched, shown with its logo, and asked what it can do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { App } from "./lib/app.mjs";
import { Desktop } from "./lib/desktop.mjs";
import { Mock } from "./lib/mock.mjs";
import { until } from "./lib/processes.mjs";

const OPEN = "for (const d of document.querySelectorAll('details')) if (d.textContent.includes(arguments[0])) d.open = true;";
/** A picture that was really drawn has a width. */
const DRAWN = "const i = document.querySelector('[data-testid=server-logo]'); return i !== null && i.complete && i.naturalWidth > 0 && i.src.startsWith('data:image/');";

for (const dark of [false, true]) {
  test(`a server is found in an imported list${dark ? ", in the dark" : ""}`, async () => {
    const desktop = await Desktop.open(dark ? "servers-dark" : "servers");
    let app;
    let mock;
    try {
      if (dark) desktop.preferDark();
      mock = await Mock.start(desktop);
      app = await App.start(desktop);
      await app.find("server-card");
      await app.screenshot("known-by-name");
      await app.web.execute(OPEN, "Lists of servers");
      await app.fill("directory-url", `${mock.origin}/absent`);
      await app.click("directory-import");
      await app.find("problem", { where: { "data-code": "directory.not_a_list" } });
      await app.screenshot("no-list");
      await app.fill("directory-url", `${mock.origin}/brands`);
      await app.click("directory-import");
      await app.find("directory", { text: "1 server" });
      await app.screenshot("imported");
      await app.fill("server-url", "riverbend mn");
      await app.find("server-card", { where: { "data-base": mock.base }, text: "Riverbend Health" });
      await until("the logo is drawn", () => app.web.execute(DRAWN));
      await app.screenshot("found");
      await app.click("server-card", { where: { "data-base": mock.base } });
      await app.find("role-patient");
      await app.web.execute(OPEN, "What this server can do");
      await app.find("ability-patientHere", { text: "sign in from Satchel" });
      await app.screenshot("what-it-can-do");
      await app.fill("server-url", "no such clinic anywhere");
      await app.find("server-connect");
      await until("nothing is found", async () => (await app.count("server-card")) === 0);
      await app.screenshot("nothing-found");
      assert.equal(desktop.addressesWaiting(), 0, "no browser was opened");
    } finally {
      await app?.close();
      await mock?.stop();
      await desktop.close();
    }
  });
}
