import { useWords } from "../i18n";
import { codingWords } from "./codes";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";

export function Coding({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = codingWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
