/** Reads the keychain of a test desktop as another program of the same person could. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Every secret that is stored under a service name: [{ attributes, secret: Buffer }]. */
export async function secretsOf(desktop, service) {
  const options = { env: desktop.env, encoding: "buffer", timeout: 20_000 };
  const { stdout, stderr } = await run("secret-tool", ["search", "--all", "service", service], options);
  const lines = Buffer.concat([stdout, stderr]).toString("latin1").split("\n");
  const accounts = lines.flatMap((line) => /^attribute\.username = (.*)$/.exec(line)?.[1] ?? []);
  return Promise.all(accounts.map(async (username) => {
    const lookup = await run("secret-tool", ["lookup", "service", service, "username", username], options);
    return { username, secret: lookup.stdout };
  }));
}
