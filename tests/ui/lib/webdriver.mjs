/** A small client of W3C WebDriver (https://www.w3.org/TR/webdriver2/): only what these tests use. */
import { until } from "./processes.mjs";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** An element as an argument of a script. */
export const reference = (id) => ({ [ELEMENT]: id });

export class WebDriverError extends Error {
  constructor(command, { error, message }) {
    super(`${command}: ${error}: ${message}`);
    this.code = error;
  }
}

export class WebDriver {
  constructor(port) {
    this.base = `http://127.0.0.1:${port}`;
  }

  /** One command. Every one has a time limit: the driver is known to hang now and then. */
  async call(method, path, body, ms = 15_000) {
    const answer = await fetch(this.base + path, {
      method,
      body: method === "POST" ? JSON.stringify(body ?? {}) : undefined,
      headers: { "content-type": "application/json" },
      signal: AbortSignal.timeout(ms),
    });
    const { value } = await answer.json();
    if (!answer.ok) throw new WebDriverError(`${method} ${path}`, value);
    return value;
  }

  async open(capabilities, ms = 40_000) {
    await until("WebKitWebDriver answers", async () => (await this.call("GET", "/status", undefined, 2000)).ready);
    const { sessionId } = await this.call("POST", "/session", { capabilities: { alwaysMatch: { timeouts: { script: 120_000 }, ...capabilities } } }, ms);
    this.session = `/session/${sessionId}`;
  }

  async close(ms = 10_000) {
    if (this.session) await this.call("DELETE", this.session, undefined, ms);
    this.session = undefined;
  }

  async elements(css, inside) {
    const path = inside ? `${this.session}/element/${inside}/elements` : `${this.session}/elements`;
    const found = await this.call("POST", path, { using: "css selector", value: css });
    return found.map((entry) => entry[ELEMENT]);
  }

  click(id) {
    return this.call("POST", `${this.session}/element/${id}/click`);
  }

  type(id, text) {
    return this.call("POST", `${this.session}/element/${id}/value`, { text });
  }

  clear(id) {
    return this.call("POST", `${this.session}/element/${id}/clear`);
  }

  text(id) {
    return this.execute("return arguments[0].innerText", reference(id));
  }

  attribute(id, name) {
    return this.call("GET", `${this.session}/element/${id}/attribute/${name}`);
  }

  displayed(id) {
    // The driver's own answer is "no" for text inside a clipped grid that everybody sees.
    const look = "const box = arguments[0].getBoundingClientRect();"
      + "return arguments[0].checkVisibility({ visibilityProperty: true }) && box.width > 0 && box.height > 0";
    return this.execute(look, reference(id));
  }

  enabled(id) {
    return this.call("GET", `${this.session}/element/${id}/enabled`);
  }

  execute(script, ...args) {
    return this.call("POST", `${this.session}/execute/sync`, { script, args });
  }

  /** A script that calls its last argument when it is done. */
  executeAsync(script, args, ms) {
    return this.call("POST", `${this.session}/execute/async`, { script, args }, ms);
  }

  /** Presses keys one after the other in whatever has the focus. */
  press(...keys) {
    const actions = keys.flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
    return this.call("POST", `${this.session}/actions`, { actions: [{ type: "key", id: "keyboard", actions }] });
  }

  /** Gives the window another size. */
  resize(width, height) {
    return this.call("POST", `${this.session}/window/rect`, { width, height });
  }

  async screenshot() {
    return Buffer.from(await this.call("GET", `${this.session}/screenshot`, undefined, 20_000), "base64");
  }
}
