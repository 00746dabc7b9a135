import { useWords } from "../i18n";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";
import { addressWords, useWordsOf } from "./people";
import styles from "./fhir.module.css";

export function Address({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = addressWords(value);
  const use = useWordsOf(words, value);
  if (said === undefined) return <DataAbsent />;
  return (
    <span className={styles.text}>
      {said}
      {use ? <span className={styles.second}>{use}</span> : null}
    </span>
  );
}
