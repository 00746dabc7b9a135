import type { ConnectionView } from "../api/bindings";

/** Connections that have, or will have, a chart: a sign-in that never ended has none. */
export function withChart(connections: readonly ConnectionView[]): ConnectionView[] {
  return connections.filter(({ state, recordCount }) => state === "connected" || state === "accessLost" || recordCount > 0);
}
