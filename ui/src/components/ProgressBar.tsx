import styles from "./ProgressBar.module.css";

interface ProgressBarProps {
  /** From 0 to 1. */
  fraction: number;
  /** What is going on, in words. */
  label: string;
  /** How far, in words. */
  detail: string;
  testId?: string;
}

/** How far a running task is: a bar, and the same in words. */
export function ProgressBar({ fraction, label, detail, testId }: ProgressBarProps) {
  const percent = Math.round(Math.min(Math.max(fraction, 0), 1) * 100);
  return (
    <div className={styles.progress}>
      <div className={styles.words}>
        <span className={styles.label}>{label}</span>
        <span className={styles.detail}>{detail}</span>
      </div>
      <div
        role="progressbar"
        data-testid={testId}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={detail}
        className={styles.track}
      >
        <div className={styles.bar} style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}
