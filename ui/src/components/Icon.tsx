import styles from "./Icon.module.css";

const PATHS = {
  chart: "M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7",
  search: "M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14zM16.2 16.2L21 21",
  connections: "M9 7V3M15 7V3M7 7h10v4a5 5 0 0 1-10 0zM12 16v5",
  add: "M12 5v14M5 12h14",
  back: "M15 5l-7 7l7 7",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12.5l4.5 4.5L19 7.5",
  high: "M12 19V6M6 11l6-6l6 6",
  low: "M12 5v13M6 13l6 6l6-6",
  criticalHigh: "M6 12l6-6l6 6M6 19l6-6l6 6",
  criticalLow: "M6 5l6 6l6-6M6 12l6 6l6-6",
  abnormal: "M12 4l8.5 15h-17zM12 10v4M12 16.6v.4",
  offline: "M3 3l18 18M8.5 13.5a6 6 0 0 1 3-1.4M5 10a11 11 0 0 1 4-2.4M19 10a11 11 0 0 0-6-3M12 18v.2",
  info: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 11v5M12 7.6v.4",
  problem: "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7.5v5.5M12 16v.4",
  sync: "M20 11a8 8 0 0 0-14.5-3.5L4 9M4 4v5h5M4 13a8 8 0 0 0 14.5 3.5L20 15M20 20v-5h-5",
  server: "M4 5h16v6H4zM4 13h16v6H4zM7.5 8h.2M7.5 16h.2",
  person: "M12 4a4 4 0 1 0 0 8a4 4 0 0 0 0-8zM4.5 20a7.5 7.5 0 0 1 15 0",
  trace: "M4 6h2M4 12h2M4 18h2M9 6h11M9 12h11M9 18h7",
  care: "M4 12h4l2-5l4 10l2-5h4",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2.5",
  privacy: "M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5c-4.5-1.5-7.5-5-7.5-9.5V6zM9 12l2.2 2.2L15.2 10",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
} as const;

export type IconName = keyof typeof PATHS;

/** They point along the line, so they turn with it. */
const ALONG: ReadonlySet<IconName> = new Set(["back", "external"]);

/** A drawing beside words; it says nothing alone. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg className={ALONG.has(name) ? styles.along : styles.icon} width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
