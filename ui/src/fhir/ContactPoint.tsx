import { useWords } from "../i18n";
import { DataAbsent } from "./DataAbsent";
import { text, type JsonObject } from "./json";
import { contactLabel, useWordsOf } from "./people";
import styles from "./fhir.module.css";

export function ContactPoint({ value }: { value: JsonObject }) {
  const words = useWords();
  const number = text(value.value);
  const use = useWordsOf(words, value);
  if (number === undefined) return <DataAbsent />;
  return (
    <span>
      {contactLabel(words, value)}: {number}
      {use ? <span className={styles.aside}> ({use})</span> : null}
    </span>
  );
}
