import { useWords } from "../i18n";
import { quantityWords } from "./amounts";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";

export function Quantity({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = quantityWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
