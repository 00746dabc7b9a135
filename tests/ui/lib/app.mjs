/** The desktop app in its real window, driven through WebKitWebDriver. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { APP } from "./places.mjs";
import { signalOne, start, stop, until } from "./processes.mjs";
import { WebDriver, WebDriverError } from "./webdriver.mjs";

export class App {
  /** Starts `binary` on the desktop; `args` and `env` go to it. */
  static async start(desktop, { binary = APP, args = [], env = {} } = {}) {
    const port = await freePort();
    const driver = start("WebKitWebDriver", [`--port=${port}`], {
      env: { ...desktop.env, ...env, TAURI_WEBVIEW_AUTOMATION: "true", RUST_BACKTRACE: "1" },
      log: desktop.log("app"),
    });
    const app = new App(desktop, driver, binary, port);
    try {
      await app.web.open({ "webkitgtk:browserOptions": { binary, args } });
    } catch (error) {
      await app.kill();
      throw error;
    }
    return app;
  }

  constructor(desktop, driver, binary, port) {
    Object.assign(this, { desktop, driver, binary, web: new WebDriver(port) });
  }

  /** The app's process, or undefined when it is not running. */
  process() {
    return this.desktop.processesOf(this.binary).find(({ ppid }) => ppid === this.driver.pid);
  }

  /** The first visible element with this test id, and with the text and the attributes given. */
  async find(testId, { text, where = {}, ms = 20_000, within } = {}) {
    const css = [["data-testid", testId], ...Object.entries(where)].map(([name, value]) => `[${name}="${CSS(value)}"]`).join("");
    const what = text ? `${css} with "${text}" shows` : `${css} shows`;
    return until(what, async () => {
      const [parent] = within ? await this.web.elements(`[data-testid="${within}"]`) : [undefined];
      if (within && !parent) return undefined;
      for (const id of await this.web.elements(css, parent)) {
        if (!(await this.web.displayed(id))) continue;
        if (text === undefined || (await this.web.text(id)).includes(text)) return id;
      }
      return undefined;
    }, { ms });
  }

  /** Waits until nothing visible carries this test id. */
  async gone(testId, { ms = 20_000 } = {}) {
    await until(`[data-testid="${testId}"] goes away`, async () => {
      for (const id of await this.web.elements(`[data-testid="${testId}"]`)) {
        if (await this.web.displayed(id)) return false;
      }
      return true;
    }, { ms });
  }

  /** Clicks once the element is there and enabled; a redraw in between is retried. */
  async click(testId, options = {}) {
    await this.#act(testId, options, (id) => this.web.click(id));
  }

  /** Replaces the text of a field. */
  async fill(testId, text, options = {}) {
    await this.#act(testId, options, async (id) => {
      await this.web.clear(id);
      await this.web.type(id, text);
    });
  }

  async #act(testId, options, action) {
    await until(`[data-testid="${testId}"] can be used`, async () => {
      const id = await this.find(testId, options).catch((error) => { throw Object.assign(error, { fatal: true }); });
      if (!(await this.web.enabled(id))) return false;
      try {
        await action(id);
      } catch (error) {
        if (error instanceof WebDriverError && REDRAWN.has(error.code)) return false;
        throw Object.assign(error, { fatal: true });
      }
      return true;
    });
  }

  async text(testId, options = {}) {
    return this.web.text(await this.find(testId, options));
  }

  async attribute(testId, name, options = {}) {
    return this.web.attribute(await this.find(testId, options), name);
  }

  /** How many visible elements carry this test id. */
  async count(testId) {
    const shown = await Promise.all((await this.web.elements(`[data-testid="${testId}"]`)).map((id) => this.web.displayed(id)));
    return shown.filter(Boolean).length;
  }

  /** Two frames later, so that what is in the document is on the screen too: WebKit's pictures lag behind. */
  async screenshot(step) {
    await this.web.execute("delete document.body.dataset.painted; requestAnimationFrame(() => requestAnimationFrame(() => { document.body.dataset.painted = 'yes' }))");
    await until("it is painted", () => this.web.execute("return document.body.dataset.painted === 'yes'"));
    writeFileSync(this.desktop.picture(step), await this.web.screenshot());
  }

  /** Closes the window as WebDriver does it, and waits for the process to end. */
  async close() {
    const running = this.process();
    await this.web.close().catch(() => {});
    if (running) {
      const alive = () => this.desktop.processesOf(this.binary).some(({ pid }) => pid === running.pid);
      await until("the app ends", () => !alive(), { ms: 6000 }).catch(() => signalOne(running.pid, "SIGKILL"));
    }
    await stop(this.driver);
  }

  /** Ends it the hard way, as a crash or a power cut would. */
  async kill() {
    const running = this.process();
    if (running) signalOne(running.pid, "SIGKILL");
    await stop(this.driver, { signal: "SIGKILL" });
  }
}

/** A value for a quoted attribute selector. */
const CSS = (value) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"');

const REDRAWN = new Set(["stale element reference", "element not interactable", "element click intercepted", "no such element"]);

/** A port that nobody uses now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
