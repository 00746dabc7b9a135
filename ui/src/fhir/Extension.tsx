import { useWords } from "../i18n";
import { humanise } from "./codes";
import { DataAbsent } from "./DataAbsent";
import { MAX_DEPTH } from "./datatype";
import { isFilled, list, objects, text, type Json, type JsonObject } from "./json";
import { NestedValue } from "./NestedValue";
import styles from "./fhir.module.css";

function valueOf(extension: JsonObject): [string, Json] | undefined {
  const found = Object.entries(extension).find(([name, value]) => name.startsWith("value") && isFilled(value));
  return found && [found[0], found[1] ?? null];
}

/** What an extension is about, out of its address: …/us-core-birthsex → "Birthsex". */
export function useExtensionLabel(): (extension: JsonObject) => string {
  const words = useWords();
  return (extension) => {
    const url = text(extension.url) ?? "";
    const last = url.split(/[/#|]/).filter(Boolean).pop() ?? "";
    const plain = last.replace(/^(us-core|patient|observation|condition|resource)-/, "").replace(/-?extension$/i, "");
    return words.find(`extension.${plain}`) ?? (/^[\d.]*$/.test(plain) ? words.t("extension.other") : humanise(plain));
  };
}

const PARTS = 50;

/** The value of an extension; nested ones show their text, or each part. */
export function Extension({ value, depth }: { value: JsonObject; depth: number }) {
  const label = useExtensionLabel();
  const { t } = useWords();
  if (depth > MAX_DEPTH) return <span className={styles.absent}>{t("value.deeper")}</span>;
  if (text(value.url)?.endsWith("data-absent-reason")) return <DataAbsent reason={value.valueCode} />;
  const own = valueOf(value);
  if (own) return <NestedValue name={own[0]} value={own[1]} depth={depth + 1} />;
  const parts = objects(value.extension);
  const summary = parts.find((part) => text(part.url) === "text");
  const said = summary && valueOf(summary);
  if (said) return <NestedValue name={said[0]} value={said[1]} depth={depth + 1} />;
  if (list(value.extension).length === 0) return <DataAbsent />;
  return (
    <span>
      {parts.slice(0, PARTS).map((part, index) => (
        <span className={styles.part} key={index}>
          <span className={styles.aside}>{label(part)}:</span> <Extension value={part} depth={depth + 1} />
        </span>
      ))}
      {parts.length > PARTS ? <span className={styles.absent}>{t("value.more", { count: parts.length - PARTS })}</span> : null}
    </span>
  );
}
