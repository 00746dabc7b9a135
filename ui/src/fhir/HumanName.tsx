import { useWords } from "../i18n";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";
import { nameWords, useWordsOf } from "./people";
import styles from "./fhir.module.css";

export function HumanName({ value }: { value: JsonObject }) {
  const words = useWords();
  const name = nameWords(value);
  const use = useWordsOf(words, value);
  if (name === undefined) return <DataAbsent />;
  return (
    <span>
      {name}
      {use ? <span className={styles.aside}> ({use})</span> : null}
    </span>
  );
}
