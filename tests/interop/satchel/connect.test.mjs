/**
 * Satchel's own command line against a server that others wrote: it registers, signs in, pulls the chart, refreshes,
 * revokes and deletes its registration. Runs in a login session with a real keychain (tests/session.sh).
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CHART, PATIENT } from "./chart.mjs";
import { startServer } from "./server.mjs";

const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const PROGRAM = join(resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? "target"), "debug", "satchel");

/** Runs the command line; `onLine` sees what it says for people. */
function satchel(profile, args, onLine = () => {}) {
  const child = spawn(PROGRAM, ["--profile", profile, "--json", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stdout.on("data", (piece) => { out += piece; });
  child.stderr.on("data", (piece) => {
    err += piece;
    for (const line of String(piece).split("\n")) onLine(line, child);
  });
  return new Promise((done, failed) => child.once("close", (code) => {
    if (code === 0) done(JSON.parse(out));
    else failed(new Error(`satchel ${args[0]} ended with ${code}: ${err}${out}`));
  }));
}

/** Plays the browser: signs in at oidc-provider's own pages, and follows it to the loopback address. */
async function browse(address) {
  const cookies = new Map();
  let [url, request] = [new URL(address), {}];
  for (let step = 0; step < 20; step += 1) {
    const answer = await fetch(url, { ...request, redirect: "manual", headers: { cookie: [...cookies].map((pair) => pair.join("=")).join("; ") } });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    if (location) {
      [url, request] = [new URL(location, url), {}];
      continue;
    }
    const html = await answer.text();
    const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1];
    if (!action) return answer.status;
    const fields = new URLSearchParams();
    for (const [, name, value] of html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) fields.append(name, value);
    if (html.includes('name="login"')) { fields.append("login", PATIENT); fields.append("password", "any"); }
    [url, request] = [new URL(action, url), { method: "POST", body: fields }];
  }
  throw new Error("the sign-in never came to an end");
}

const METHODS = [
  { name: "private_key_jwt with ES384", method: "private_key_jwt", algorithm: "ES384" },
  { name: "private_key_jwt with RS384", method: "private_key_jwt", algorithm: "RS384" },
  { name: "client_secret_basic", method: "client_secret_basic" },
  { name: "a public client", method: "none" },
];

for (const { name, method, algorithm } of METHODS) {
  test(`${name}: register, sign in, pull, refresh, revoke`, async (t) => {
    const server = await startServer({
      clientAuthMethods: [method],
      ...(algorithm ? { enabledJWA: { clientAuthSigningAlgValues: [algorithm] } } : {}),
      // Shorter than the minute before its end at which Satchel refreshes: each use refreshes.
      ttl: { AccessToken: 30, RefreshToken: 86400, Grant: 86400, IdToken: 3600, Interaction: 600, Session: 86400 },
    });
    const refusals = [];
    server.provider.on("server_error", (_context, error) => refusals.push(error.stack));
    for (const event of ["registration_create.error", "grant.error", "authorization.error", "revocation.error"]) {
      server.provider.on(event, (_context, error) => refusals.push(`${event}: ${error.message} ${error.error_description ?? ""} ${error.error_detail ?? ""}`));
    }
    const registered = [];
    server.provider.on("registration_create.success", (_context, client) => registered.push(client));
    const granted = [];
    server.provider.on("grant.success", (context) => granted.push(context.oidc.params.grant_type));
    const profile = mkdtempSync(join(tmpdir(), "satchel-interop-"));
    t.after(() => { server.stop(); rmSync(profile, { recursive: true, force: true }); });
    try {
      let browsed;
      const connected = await satchel(profile, ["connect", server.fhirBase, "--no-browser"], (line, child) => {
        if (!line.startsWith(`${server.issuer}/auth`)) return;
        browsed = browse(line).then((status) => {
          // Nobody will come back to the loopback address.
          if (status !== 200) child.kill();
          return status;
        });
      });
      assert.equal(await browsed, 200, "the page that ends the sign-in");
      assert.equal(connected.connection.state, "connected");
      assert.equal(connected.report.complete, true, JSON.stringify(connected.report, null, 1));
      assert.equal(connected.connection.recordCount, CHART.length);

      // It registered itself by its own key or secret, as a native app.
      assert.equal(registered.length, 1);
      assert.equal(registered[0].tokenEndpointAuthMethod, method);
      assert.equal(registered[0].jwks?.keys?.[0]?.alg, algorithm);

      const before = granted.filter((grant) => grant === "refresh_token").length;
      const [again] = await satchel(profile, ["sync"]);
      assert.equal(again.complete, true, JSON.stringify(again, null, 1));
      assert.ok(granted.filter((grant) => grant === "refresh_token").length > before, "the token was refreshed");

      const [connection] = await satchel(profile, ["connections"]);
      await satchel(profile, ["remove", connection.id]);
      const revoked = server.log.filter((one) => one.path === "/token/revocation" && one.status === 200);
      assert.ok(revoked.length >= 1, "access was revoked");
      assert.ok(server.log.some((one) => one.method === "DELETE" && one.path.startsWith("/reg/") && one.status === 204), "the registration is deleted");
      assert.equal(await server.provider.Client.find(registered[0].clientId), undefined);
    } catch (error) {
      error.message += `\nrefused by oidc-provider: ${refusals.join("; ") || "nothing"}\n${JSON.stringify(server.log.slice(-30))}`;
      throw error;
    }
  });
}
