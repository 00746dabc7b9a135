/** Looks for secrets where none may be: files byte for byte, command lines, texts. */
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Ways in which a secret could be written: as it is, in UTF-16, and for binary ones (a Buffer) as
 * hex and Base64 too. Base64 is cut to whole groups so that it is found inside longer text.
 */
function spellings(secret) {
  if (!Buffer.isBuffer(secret)) return [Buffer.from(secret, "utf8"), Buffer.from(secret, "utf16le")];
  const whole = secret.subarray(0, secret.length - (secret.length % 3));
  return [
    secret,
    Buffer.from(secret.toString("hex")),
    Buffer.from(secret.toString("hex").toUpperCase()),
    Buffer.from(whole.toString("base64")),
    Buffer.from(whole.toString("base64url")),
  ];
}

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else if (entry.isFile()) yield path;
  }
}

/**
 * Searches every file under `folders` (but those that `except` says yes to) and every text of
 * `texts` ({ name: text }) for each of `secrets` ({ name: string or Buffer }).
 * Hands back what was found as "secret in place", and how much was searched.
 */
export function sweep({ folders = [], texts = {}, except = () => false, secrets }) {
  const wanted = Object.entries(secrets).map(([name, secret]) => {
    if (secret.length < 4) throw new Error(`"${name}" is too short to search for`);
    return { name, spellings: spellings(secret) };
  });
  const found = [];
  let files = 0;
  let bytes = 0;
  const look = (place, content) => {
    bytes += content.length;
    for (const { name, spellings: all } of wanted) {
      if (all.some((spelling) => content.includes(spelling))) found.push(`${name} in ${place}`);
    }
  };
  for (const folder of folders) {
    for (const path of filesUnder(folder)) {
      if (except(path) || !statSync(path, { throwIfNoEntry: false })) continue;
      files += 1;
      look(path, readFileSync(path));
    }
  }
  for (const [place, text] of Object.entries(texts)) look(place, Buffer.from(text));
  return { found, files, bytes };
}
