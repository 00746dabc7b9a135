/** The search for secrets must itself find them, in each spelling; else its silence says nothing. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { sweep } from "./lib/sweep.mjs";

const folder = mkdtempSync(join(tmpdir(), "sweep-"));
after(() => rmSync(folder, { recursive: true }));
const key = Buffer.from("00ff10a77e5bd2c4916803fe", "hex");
const secrets = { token: "a-token-1234", key };

const planted = {
  "as it is": [Buffer.from("xx a-token-1234 yy"), "token"],
  "in UTF-16": [Buffer.from("a-token-1234", "utf16le"), "token"],
  "raw bytes": [Buffer.concat([Buffer.from("x"), key]), "key"],
  "lower-case hex": [Buffer.from(`key=${key.toString("hex")};`), "key"],
  "upper-case hex": [Buffer.from(key.toString("hex").toUpperCase()), "key"],
  "Base64": [Buffer.from(key.toString("base64")), "key"],
  "Base64 for URLs": [Buffer.from(key.toString("base64url")), "key"],
};

for (const [spelling, [content, name]] of Object.entries(planted)) {
  test(`a secret is found in a file: ${spelling}`, () => {
    const inner = join(folder, spelling, "deep");
    mkdirSync(inner, { recursive: true });
    const file = join(inner, "file");
    writeFileSync(file, content);
    assert.deepEqual(sweep({ folders: [join(folder, spelling)], secrets }).found, [`${name} in ${file}`]);
  });
}

test("a secret is found in a text, and an excepted file is not read", () => {
  const file = join(folder, "excepted");
  writeFileSync(file, "a-token-1234");
  const { found } = sweep({ folders: [folder], except: (path) => path.startsWith(folder), texts: { "command line": "app --x=a-token-1234" }, secrets });
  assert.deepEqual(found, ["token in command line"]);
});

test("a secret too short to mean anything is refused", () => {
  assert.throws(() => sweep({ secrets: { name: "ab" } }), /too short/);
});
