import { useWords } from "../i18n";
import { moneyWords } from "./amounts";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";

export function Money({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = moneyWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
