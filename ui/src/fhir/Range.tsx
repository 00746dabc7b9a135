import { useWords } from "../i18n";
import { rangeWords } from "./amounts";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";

export function Range({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = rangeWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
