/** The mock server in a process of its own, and a person at its portal without a browser. */
import { spawn } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const TARGET = resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? "target");

/** Starts it; what it says when it is ready, and `stop`. */
export async function startMock(...args) {
  const child = spawn(join(TARGET, "debug", "satchel-mock"), ["--patients", "2", ...args], { stdio: ["ignore", "pipe", "ignore"] });
  const line = await new Promise((done, failed) => {
    createInterface({ input: child.stdout }).once("line", done);
    child.once("exit", (code) => failed(new Error(`satchel-mock ended with ${code}: run make build`)));
  });
  const ready = JSON.parse(line);
  const account = (role) => ready.accounts.find((one) => one.role === role);
  return { ...ready, account, stop: () => child.kill() };
}

const attribute = (tag, name) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&");

/** Fills in the portal's forms and presses Allow; gives the address that the browser is sent to. */
export async function signIn(address, { username, password }) {
  let url = new URL(address);
  let request = {};
  const cookies = new Map();
  for (let step = 0; step < 8; step += 1) {
    const answer = await fetch(url, { ...request, redirect: "manual", headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") } });
    for (const cookie of answer.headers.getSetCookie()) {
      const [name, value] = cookie.split(";")[0].split("=");
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location) return location;
    const html = await answer.text();
    const form = /<form[^>]*>[\s\S]*?<\/form>/.exec(html)?.[0];
    if (!answer.ok || !form) throw new Error(`the portal answered ${answer.status}: ${html}`);
    const fields = new URLSearchParams();
    for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
      const type = attribute(tag, "type");
      if (type === "hidden" || tag.includes(" checked")) fields.append(attribute(tag, "name"), attribute(tag, "value"));
    }
    if (form.includes('name="username"')) {
      fields.append("username", username);
      fields.append("password", password);
    }
    if (form.includes('name="approve"')) fields.append("approve", "yes");
    url = new URL(attribute(form, "action"), url);
    request = { method: "POST", body: fields };
  }
  throw new Error("the portal never came to an end");
}
