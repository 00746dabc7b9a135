/** Keeps every command line that ran on a desktop, so that a sweep can look through them. */
import { processesWith } from "./processes.mjs";

export class Watch {
  constructor(marker, everyMs = 150) {
    this.seen = new Set();
    this.timer = setInterval(() => {
      for (const { args } of processesWith(marker)) this.seen.add(args.join("\0"));
    }, everyMs);
    this.timer.unref();
  }

  /** All command lines seen, arguments parted by NUL. */
  commandLines() {
    return [...this.seen];
  }

  stop() {
    clearInterval(this.timer);
  }
}
