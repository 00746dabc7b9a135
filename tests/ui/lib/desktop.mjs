/**
 * A desktop for one test: a display (Xvfb), a login session (tests/session.sh: D-Bus, keychain,
 * private XDG directories), a home, and a default browser that hands addresses to the test.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ARTIFACTS, REPOSITORY } from "./places.mjs";
import { processesWith, signalOne, start, stop, until } from "./processes.mjs";
import { Watch } from "./watch.mjs";

const run = promisify(execFile);

export class Desktop {
  /** `name` names the folder of screenshots and logs under artifacts/. */
  static async open(name, { keychain = true } = {}) {
    const desktop = new Desktop(name);
    try {
      await desktop.#openDisplay();
      await desktop.#openSession(keychain);
      desktop.#installBrowser();
      return desktop;
    } catch (error) {
      await desktop.close();
      throw error;
    }
  }

  constructor(name) {
    this.marker = `SATCHEL_TEST_RUN=${randomBytes(8).toString("hex")}`;
    this.artifacts = join(ARTIFACTS, name);
    rmSync(this.artifacts, { recursive: true, force: true });
    mkdirSync(join(this.artifacts, "logs"), { recursive: true });
    // Things of the harness (browser profile, inbox of addresses): not Satchel's, so never swept.
    this.outside = mkdtempSync("/tmp/satchel-harness-");
    this.inbox = join(this.outside, "inbox");
    mkdirSync(this.inbox);
    this.shots = 0;
    this.watch = new Watch(this.marker);
  }

  log(name) {
    return join(this.artifacts, "logs", `${name}.log`);
  }

  async #openDisplay() {
    this.xvfb = start("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x1000x24", "-nolisten", "tcp"], {
      log: this.log("xvfb"),
      extraFds: 1,
    });
    this.display = `:${(await firstLine(this.xvfb.stdio[3], this.xvfb)).trim()}`;
  }

  /** The session lives for as long as its `cat` waits for the end of our pipe. */
  async #openSession(keychain) {
    const [key, value] = this.marker.split("=");
    const args = [...(keychain ? [] : ["--no-keychain"]), "sh", "-c", "{ env -0; printf '\\0'; } >&3; exec cat"];
    this.session = start(join(REPOSITORY, "tests/session.sh"), args, {
      env: { ...process.env, [key]: value },
      log: this.log("session"),
      stdin: "pipe",
      extraFds: 1,
    });
    const text = await textUpTo("\0\0", this.session.stdio[3], this.session);
    this.env = Object.fromEntries(text.split("\0").filter(Boolean).map((line) => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }));
    this.root = this.env.SATCHEL_SESSION;
    Object.assign(this.env, { DISPLAY: this.display, HOME: join(this.root, "home"), GDK_BACKEND: "x11", LANG: "C.UTF-8" });
    delete this.env.LC_ALL;
    mkdirSync(this.env.HOME, { mode: 0o700 });
    await run("dbus-update-activation-environment", ["DISPLAY", "HOME"], { env: this.env });
  }

  /** Registers a "system browser" for http and https: it drops the address into the inbox. */
  #installBrowser() {
    const stub = join(this.outside, "test-browser");
    writeFileSync(stub, `#!/bin/sh\nf=$(mktemp '${this.outside}/address.XXXXXX')\nprintf %s "$1" >"$f"\nmv "$f" '${this.inbox}/'\n`);
    chmodSync(stub, 0o755);
    const applications = join(this.env.XDG_DATA_HOME, "applications");
    mkdirSync(applications, { recursive: true });
    writeFileSync(join(applications, "test-browser.desktop"), [
      "[Desktop Entry]", "Type=Application", "Name=Test browser", `Exec=${stub} %u`, "NoDisplay=true",
      "MimeType=x-scheme-handler/http;x-scheme-handler/https;", "",
    ].join("\n"));
    writeFileSync(join(this.env.XDG_CONFIG_HOME, "mimeapps.list"), [
      "[Default Applications]", "x-scheme-handler/http=test-browser.desktop", "x-scheme-handler/https=test-browser.desktop", "",
    ].join("\n"));
  }

  /** The next address that some program asked the system browser to open. */
  async nextAddress({ ms = 20_000 } = {}) {
    const name = await until("the app opens the system browser", () => readdirSync(this.inbox)[0], { ms });
    const file = join(this.inbox, name);
    const address = readFileSync(file, "utf8");
    rmSync(file);
    return address;
  }

  /** How many addresses wait in the inbox. */
  addressesWaiting() {
    return readdirSync(this.inbox).length;
  }

  /** Gives a link to the operating system, as another program on this desktop would. */
  async openLink(link) {
    await run("xdg-open", [link], { env: this.env, timeout: 20_000 });
  }

  /** A picture of the whole screen: artifacts/<name>/NN-step.png. */
  async screenshot(step) {
    await run("import", ["-window", "root", this.picture(step)], { env: this.env, timeout: 20_000 });
  }

  /** Where the next picture goes. */
  picture(step) {
    this.shots += 1;
    return join(this.artifacts, `${String(this.shots).padStart(2, "0")}-${step}.png`);
  }

  /** Switches the desktop to dark colours, as its settings would (apps started from now on). */
  preferDark() {
    const folder = join(this.env.XDG_CONFIG_HOME, "gtk-3.0");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "settings.ini"), "[Settings]\ngtk-application-prefer-dark-theme=1\n");
  }

  /** Everything that runs on this desktop. */
  processes() {
    return processesWith(this.marker);
  }

  /** Processes of this desktop that run `binary`. */
  processesOf(binary) {
    return this.processes().filter(({ args }) => args[0] === binary);
  }

  /** Ends everything that runs on this desktop, and removes its folders. */
  async close() {
    this.watch.stop();
    if (this.root && existsSync(join(this.root, "keyring.log"))) copyFileSync(join(this.root, "keyring.log"), this.log("keyring"));
    this.session?.stdin.end();
    if (this.session) {
      await until("the session ends", () => this.session.exitCode !== null, { ms: 5000 }).catch(() => stop(this.session));
    }
    const left = () => processesWith(this.marker);
    for (const { pid } of left()) signalOne(pid, "SIGTERM");
    await until("everything on the desktop ends", () => left().length === 0, { ms: 4000 }).catch(() => {
      for (const { pid } of left()) signalOne(pid, "SIGKILL");
    });
    await stop(this.xvfb);
    if (this.root) rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
    rmSync(this.outside, { recursive: true, force: true, maxRetries: 5 });
  }
}

function failure(child) {
  return new Promise((_, reject) => {
    child.once("exit", (code) => reject(new Error(`${child.spawnfile} ended with ${code} before it was ready`)));
    child.failed.catch(reject);
  });
}

/** First line of a stream, or the failure of the child that should have written it. */
export function firstLine(stream, child) {
  return textUpTo("\n", stream, child);
}

/** What a stream says before `end`. */
async function textUpTo(end, stream, child, ms = 60_000) {
  const text = new Promise((resolve) => {
    let all = "";
    stream.setEncoding("utf8").on("data", (chunk) => {
      all += chunk;
      if (all.includes(end)) resolve(all.slice(0, all.indexOf(end)));
    });
  });
  return Promise.race([text, failure(child), timeout(ms, `${child.spawnfile} says nothing`)]);
}

function timeout(ms, what) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(`${what} within ${ms} ms`)), ms).unref());
}
