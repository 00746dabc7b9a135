import { useWords } from "../i18n";
import type { Json } from "./json";
import { absentWords } from "./people";
import styles from "./fhir.module.css";

/** Says that something is not known, and why when the record says why. */
export function DataAbsent({ reason }: { reason?: Json }) {
  const words = useWords();
  return <span className={styles.absent}>{absentWords(words, reason)}</span>;
}
