import { useWords } from "../i18n";
import { conceptWords } from "./codes";
import { DataAbsent } from "./DataAbsent";
import { objects, text, type JsonObject } from "./json";

const UNKNOWN = /data-absent-reason|NullFlavor/i;

/** What it means; its codes are listed at the end of the record. */
export function CodeableConcept({ value }: { value: JsonObject }) {
  const words = useWords();
  const absent = objects(value.coding).find((coding) => UNKNOWN.test(text(coding.system) ?? ""));
  if (absent && !text(value.text)) return <DataAbsent reason={absent} />;
  const said = conceptWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
