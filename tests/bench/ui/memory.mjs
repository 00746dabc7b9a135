/** Memory of a program with everything that it started, in megabytes: what is shared is counted once (PSS). */
import { readFileSync } from "node:fs";

function pss(pid) {
  try {
    return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // It ended meanwhile.
  }
}

export function memoryOf(app) {
  const all = app.desktop.processes();
  const tree = new Set([app.process().pid]);
  for (let grown = true; grown; ) {
    const children = all.filter(({ pid, ppid }) => tree.has(ppid) && !tree.has(pid));
    for (const { pid } of children) tree.add(pid);
    grown = children.length > 0;
  }
  return [...tree].reduce((sum, pid) => sum + pss(pid), 0) / 1024;
}
