/** The person's own browser: real Chromium with its own profile, used to sign in at the portal. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium as playwright } from "playwright-core";
import { chromium } from "./places.mjs";

const SCHEME = "org.satchel.app";

export class Browser {
  /**
   * Opens it on the desktop. Pages of `origin` may hand links of Satchel's scheme to the operating
   * system without asking, as after ticking "always allow" in Chromium's own question.
   */
  static async start(desktop, origin) {
    const profile = join(desktop.outside, "chromium");
    mkdirSync(join(profile, "Default"), { recursive: true });
    writeFileSync(join(profile, "Default", "Preferences"), JSON.stringify({
      protocol_handler: { allowed_origin_protocol_pairs: { [origin]: { [SCHEME]: true } } },
    }));
    const context = await playwright.launchPersistentContext(profile, {
      executablePath: chromium(),
      headless: false,
      env: { ...desktop.env, TMPDIR: desktop.outside },
      args: ["--disable-gpu", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
      viewport: null,
      timeout: 60_000,
    });
    context.setDefaultTimeout(20_000);
    return new Browser(desktop, context);
  }

  constructor(desktop, context) {
    Object.assign(this, { desktop, context, page: context.pages()[0] });
  }

  /** Opens an address; one that ends in a hand-over to the operating system is no failure. */
  async open(address) {
    await this.page.goto(address).catch((error) => {
      if (!/ERR_ABORTED/.test(error.message)) throw error;
    });
  }

  async screenshot(step) {
    await this.page.screenshot({ path: this.desktop.picture(step) });
  }

  async close() {
    await this.context.close();
  }
}

/** Signs in at the mock server's portal and waits for the page that asks for consent. */
export async function signIn(browser, account) {
  const { page } = browser;
  await page.fill("input[name=username]", account.username);
  await page.fill("input[name=password]", account.password);
  await Promise.all([page.waitForLoadState("load"), page.click("button[type=submit], button:not([type])")]);
  await page.waitForSelector("[name=approve], input[name=patient]");
}

/** Chooses a patient where the portal asks for one. */
export async function choosePatient(browser, id) {
  const { page } = browser;
  await page.check(`input[name=patient][value="${id}"]`);
  await page.click("button[type=submit]");
  await page.waitForSelector("[name=approve]");
}

/** Presses `approve` or `deny`. The answer leaves the browser for the app. */
export async function decide(browser, button) {
  await browser.page.click(`[name=${button}], button[value=${button}]`, { noWaitAfter: true });
}
