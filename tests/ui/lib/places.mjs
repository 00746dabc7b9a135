/** Where things are: the checkout, the built programs, the artifacts. */
import { dirname, join, resolve } from "node:path";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
export const ARTIFACTS = process.env.SATCHEL_ARTIFACTS ?? join(REPOSITORY, "artifacts", "e2e");

const TARGET = resolve(REPOSITORY, process.env.CARGO_TARGET_DIR ?? "target");
/** `debug` unless SATCHEL_BUILD says `release`. */
export const BUILD = join(TARGET, process.env.SATCHEL_BUILD ?? "debug");
export const APP = join(BUILD, "satchel-desktop");
export const MOCK = join(BUILD, "satchel-mock");

/** Debian's Chromium, or what the machine has instead. */
export function chromium() {
  const places = [process.env.SATCHEL_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = places.find((path) => path && existsSync(path));
  if (!found) throw new Error("no Chromium here: run `make setup`");
  return found;
}
