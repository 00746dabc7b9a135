import type { ReactNode } from "react";
import styles from "./documents.module.css";

/** A long text scrolls inside of itself, by the keyboard too, and says what it is. */
export function Paper({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.paper} role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}
