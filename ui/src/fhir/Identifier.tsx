import { useWords } from "../i18n";
import { DataAbsent } from "./DataAbsent";
import { text, type JsonObject } from "./json";
import { identifierLabel, useWordsOf } from "./people";
import styles from "./fhir.module.css";

export function Identifier({ value }: { value: JsonObject }) {
  const words = useWords();
  const number = text(value.value);
  const use = useWordsOf(words, value);
  return (
    <span>
      {identifierLabel(words, value)}: {number ?? <DataAbsent />}
      {use ? <span className={styles.aside}> ({use})</span> : null}
    </span>
  );
}
