import { useState } from "react";
import { useWords, type Words } from "../i18n";
import { Button } from "../components/Button";
import { numberWords, sizeWords } from "./amounts";
import { codeWords } from "./codes";
import { formatFhirDate } from "./dates";
import { isDateLike } from "./datatype";
import { clean, type Json } from "./json";
import styles from "./fhir.module.css";

const LONG_TEXT = 3000;
/** What one press adds: megabytes laid out at once would hold up the window. */
const STEP = 200_000;
const NUMBER_NAME = /(value|decimal|integer|number|count|rank|score|amount|sequence|position|total)$/i;

function languageWords(words: Words, value: string): string {
  try {
    return words.intl.formatDisplayName(value, { type: "language" }) ?? value;
  } catch {
    return value;
  }
}

function isData(name: string, value: string): boolean {
  return name === "data" || name === "hash" || name === "div" || /base64/i.test(name) || (value.length > 400 && /^[A-Za-z0-9+/=\s]+$/.test(value) && !/\s\S+\s/.test(value.slice(0, 200)));
}

/** A primitive in words; its element's name tells what it may be. */
function primitiveWords(words: Words, name: string, value: Json): string | undefined {
  if (typeof value === "boolean") return words.t(value ? "yes" : "no");
  if (typeof value === "number") return /year/i.test(name) ? String(value) : numberWords(words, value);
  if (typeof value !== "string") return undefined;
  const said = clean(value);
  if (said === "") return undefined;
  if (isData(name, said)) return words.t("data.size", { size: sizeWords(words, Math.round((said.length * 3) / 4)) });
  if (isDateLike(name, said)) return formatFhirDate(words.intl, said);
  if (NUMBER_NAME.test(name) && numberWords(words, said) !== undefined && !said.startsWith("0")) return numberWords(words, said);
  if (name === "language") return languageWords(words, said);
  if (/^(data-)?absent/i.test(name) || /\s/.test(said) || /string$/i.test(name)) return said;
  return codeWords(words, said) ?? said;
}

/** Long text is shown in part first. */
export function LongText({ value }: { value: string }) {
  const [length, setLength] = useState(LONG_TEXT);
  const { t } = useWords();
  if (value.length <= length) return <span className={styles.text}>{value}</span>;
  return (
    <span className={styles.text}>
      {value.slice(0, length)}…{" "}
      <Button kind="quiet" size="small" onClick={() => setLength(length + STEP)}>
        {t(value.length <= length + STEP ? "text.showAll" : "text.showMore")}
      </Button>
    </span>
  );
}

export function Primitive({ name, value }: { name: string; value: Json }) {
  const words = useWords();
  const said = primitiveWords(words, name, value);
  return said === undefined ? null : <LongText value={said} />;
}
