import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";
import styles from "./Badge.module.css";

export type Tone = "neutral" | "good" | "info" | "warn" | "bad" | "sand";

/** A short word with a meaning; its shape says it too, not the colour alone. */
export function Badge({ tone = "neutral", icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span className={`${styles.badge ?? ""} ${styles[tone] ?? ""}`}>
      {icon ? <Icon name={icon} size={13} /> : null}
      {children}
    </span>
  );
}
