import { useWords } from "../i18n";
import { ratioWords } from "./amounts";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";

export function Ratio({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = ratioWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
