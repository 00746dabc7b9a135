import { useWords, type Words } from "../i18n";
import { sizeWords } from "./amounts";
import { formatFhirDate } from "./dates";
import { decimal, text, type JsonObject } from "./json";
import styles from "./fhir.module.css";

/** A media type in words: "PDF document". */
export function mediaWords(words: Words, type: string | undefined): string {
  const bare = type?.split(";")[0]?.trim().toLowerCase() ?? "";
  const known = words.find(`media.${bare}`);
  if (known) return known;
  const family = bare.split("/")[0] ?? "";
  return words.find(`media.${family}`) ?? words.t("media.other");
}

/** What an attachment is; its content is shown above the record. */
export function Attachment({ value }: { value: JsonObject }) {
  const words = useWords();
  const data = text(value.data);
  const size = decimal(value.size) ?? (data && String(Math.round((data.length * 3) / 4)));
  const created = text(value.creation);
  const facts = words.facts([
    mediaWords(words, text(value.contentType)),
    size && sizeWords(words, Number(size)),
    created && formatFhirDate(words.intl, created),
  ]);
  const title = text(value.title);
  return (
    <span>
      {title ?? facts}
      {title ? <span className={styles.second}>{facts}</span> : null}
    </span>
  );
}
