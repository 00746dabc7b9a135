import { useWords } from "../i18n";
import { DataAbsent } from "./DataAbsent";
import type { JsonObject } from "./json";
import { periodWords } from "./dosing";

export function Period({ value }: { value: JsonObject }) {
  const words = useWords();
  const said = periodWords(words, value);
  return said === undefined ? <DataAbsent /> : <span>{said}</span>;
}
