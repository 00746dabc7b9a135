import { useWords } from "../i18n";
import { DataAbsent } from "./DataAbsent";
import { dosageWords } from "./dosing";
import { text, type JsonObject } from "./json";
import styles from "./fhir.module.css";

/** How to take a medication; the instruction for the patient stands below when it says more. */
export function Dosage({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = dosageWords(words, value);
  const patient = text(value.patientInstruction);
  if (said === undefined) return <DataAbsent />;
  return (
    <span>
      {said}
      {patient && patient !== said ? <span className={styles.second}>{patient}</span> : null}
    </span>
  );
}
