/** The mock server in a process of its own. */
import { MOCK } from "./places.mjs";
import { start, stop } from "./processes.mjs";
import { firstLine } from "./desktop.mjs";

export class Mock {
  /** With synthetic people, or with the records of the folder `load`. */
  static async start(desktop, { patients = 3, seed = 7, port = 0, load } = {}) {
    const people = load ? ["--load", load] : ["--patients", String(patients), "--seed", String(seed)];
    const child = start(MOCK, ["--port", String(port), ...people], {
      log: desktop.log("mock"),
      stdout: "pipe",
    });
    const ready = JSON.parse(await firstLine(child.stdout, child));
    child.stdout.resume();
    return new Mock(child, ready);
  }

  constructor(child, ready) {
    Object.assign(this, { child, base: ready.fhir_base, issuer: ready.issuer, control: ready.control, accounts: ready.accounts });
  }

  /** The first account of a role. */
  account(role = "patient") {
    const found = this.accounts.find((account) => account.role === role);
    if (!found) throw new Error(`the mock server has no ${role}`);
    return found;
  }

  get origin() {
    return new URL(this.issuer).origin;
  }

  /** One call of the control interface. */
  async ask(path, options) {
    const answer = await fetch(`${this.control}/${path}`, { ...options, signal: AbortSignal.timeout(15_000) });
    if (!answer.ok) throw new Error(`control ${path}: ${answer.status}`);
    return answer.json();
  }

  /** Every access and refresh token that was given out. */
  tokens() {
    return this.ask("tokens");
  }

  /** Lets the next `times` requests for records take their time, as those of a real server do. */
  async slow(ms, times) {
    const answer = await fetch(`${this.control}/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ endpoint: "fhir", times, fault: { kind: "delay", ms } }),
      signal: AbortSignal.timeout(15_000),
    });
    if (!answer.ok) throw new Error(`control faults: ${answer.status}`);
  }

  /** How many requests came, once no more come. */
  async quiet() {
    let before = -1;
    let since = Date.now();
    for (;;) {
      const { length } = await this.ask("requests");
      if (length !== before) [before, since] = [length, Date.now()];
      else if (Date.now() - since > 2000) return length;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** A resource as the server sends it, character for character. */
  async resource(type, id) {
    for (const token of (await this.tokens()).reverse()) {
      const answer = await fetch(`${this.base}/${type}/${id}`, {
        headers: { authorization: `Bearer ${token}`, accept: "application/fhir+json" },
        signal: AbortSignal.timeout(15_000),
      });
      if (answer.ok) return answer.text();
    }
    throw new Error(`the mock server gives ${type} to no token`);
  }

  /** The Patient resource of the first account. */
  async patient() {
    return JSON.parse(await this.resource("Patient", this.account().patient_ids[0]));
  }

  async stop() {
    await stop(this.child);
  }
}
