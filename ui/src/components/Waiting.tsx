import styles from "./Waiting.module.css";

/** Something is being read; said to screen readers, drawn for the others. */
export function Waiting({ label }: { label: string }) {
  return (
    <div className={styles.waiting} role="status">
      <span className={styles.dot} aria-hidden="true" />
      {label}
    </div>
  );
}
