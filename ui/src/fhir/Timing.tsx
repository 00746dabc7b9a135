import { useWords } from "../i18n";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";
import { timingWords } from "./dosing";

export function Timing({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = timingWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
