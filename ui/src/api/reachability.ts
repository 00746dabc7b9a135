import { useEffect } from "react";
import { engine } from "./client";

const AT_MOST_EVERY_MS = 60_000;
const asked = new Map<string, number>();

function ask(connectionId: string, force: boolean) {
  const now = Date.now();
  if (!force && now - (asked.get(connectionId) ?? -AT_MOST_EVERY_MS) < AT_MOST_EVERY_MS) return;
  asked.set(connectionId, now);
  // The answer arrives as "connectionsChanged"; a failed probe is an answer too.
  engine.connectionProbe(connectionId).catch(() => undefined);
}

/** Asks whether the server is there: on opening, when the window comes back, when the network changes. */
export function useReachability(connectionId: string, connected: boolean) {
  useEffect(() => {
    if (!connected) return;
    const soft = () => ask(connectionId, false);
    const hard = () => ask(connectionId, true);
    soft();
    window.addEventListener("focus", soft);
    window.addEventListener("online", hard);
    window.addEventListener("offline", hard);
    return () => {
      window.removeEventListener("focus", soft);
      window.removeEventListener("online", hard);
      window.removeEventListener("offline", hard);
    };
  }, [connectionId, connected]);
}
