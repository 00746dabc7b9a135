import type { ProblemView } from "./bindings";

/** A failure of the window itself; the words are in the catalogue under this code. */
const WINDOW_CODE = "window.failed";

function isProblem(value: unknown): value is ProblemView {
  return typeof value === "object" && value !== null && "code" in value && "message" in value;
}

/** Whatever a call was rejected with, as a problem with words. */
export function problemOf(error: unknown): ProblemView {
  if (isProblem(error)) return error;
  const detail = error instanceof Error ? error.message : typeof error === "string" ? error : null;
  return { code: WINDOW_CODE, message: "", advice: "", detail, canRetry: true };
}
