import type { ProblemView } from "../../api/bindings";

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function refuse(code: string): ProblemView {
  return { code, message: "", advice: "", detail: null, canRetry: false };
}

export type Checked = { base: string } | { problem: ProblemView };

/** Whether what was typed is meant as an address and not as words to search for. */
export function looksLikeAddress(typed: string): boolean {
  const trimmed = typed.trim();
  return /:\/\//.test(trimmed) || /^(localhost|[^\s/]+\.[^\s/]+)(:\d+)?\/\S+/i.test(trimmed);
}

/** What can be said about an address before any server is asked. */
export function checkAddress(typed: string): Checked {
  const trimmed = typed.trim();
  const full = /^[a-z][a-z\d+.-]*:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  if (trimmed === "" || /\s/.test(trimmed) || !URL.canParse(full)) return { problem: refuse("server.not_a_url") };
  const url = new URL(full);
  const local = LOOPBACK.test(url.hostname);
  if (url.protocol !== "https:" && url.protocol !== "http:") return { problem: refuse("server.not_a_url") };
  if (!local && !url.hostname.includes(".")) return { problem: refuse("server.not_a_url") };
  if (url.protocol === "http:" && !local) return { problem: refuse("server.not_https") };
  return { base: full };
}
