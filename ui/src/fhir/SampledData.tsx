import { useWords } from "../i18n";
import { sampledWords } from "./amounts";
import type { JsonObject } from "./json";

export function SampledData({ value }: { value: JsonObject }) {
  const words = useWords();
  return <span>{sampledWords(words, value)}</span>;
}
