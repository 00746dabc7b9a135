import type { ComponentProps } from "react";
import styles from "./Select.module.css";

/** One of several, and beside it what is chosen. */
export function Select({ label, ...select }: ComponentProps<"select"> & { label: string }) {
  return (
    <label className={styles.select}>
      <span>{label}</span>
      <select {...select} />
    </label>
  );
}
