import type { MeasurementView, RecordKey } from "../../../api/bindings";
import { numberWords, valueSaid } from "../../../fhir/amounts";
import { formatFhirDate } from "../../../fhir/dates";
import { useWords, type Words } from "../../../i18n";
import { FlagMark } from "../marks";
import styles from "./trend.module.css";

/** Every value with its date, the newest first; each leads to its record. */
export function TrendTable({ points, title, onOpen }: { points: readonly MeasurementView[]; title: string; onOpen: (key: RecordKey) => void }) {
  const words = useWords();
  const { t, intl } = words;
  const sources = new Set(points.map(({ source }) => source));
  return (
    <div className={styles.tableBox}>
      <table className={styles.table}>
        <caption className="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{t("trend.date")}</th>
            <th scope="col">{t("trend.value")}</th>
            <th scope="col">{t("trend.range")}</th>
            {sources.size > 1 ? <th scope="col">{t("trend.source")}</th> : null}
          </tr>
        </thead>
        <tbody>
          {points.toReversed().map(({ key, date, values, text, source }) => (
            <tr key={`${key.connectionId} ${key.id}`}>
              <td>
                <button type="button" className={styles.open} onClick={() => onOpen(key)}>
                  {formatFhirDate(intl, date.value)}
                </button>
              </td>
              <td>
                {text ? valueSaid(words, { value: text, measured: values.length > 0 }) : t("trend.nothing")} {values.map(({ part, flag }) => (flag && flag !== "normal" ? <FlagMark key={part ?? ""} flag={flag} /> : null))}
              </td>
              <td>{words.facts(values.map(({ low, high }) => rangeOf(words, low, high)))}</td>
              {sources.size > 1 ? <td>{source}</td> : null}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rangeOf(words: Words, low: number | null, high: number | null): string | undefined {
  const [from, to] = [numberWords(words, low), numberWords(words, high)];
  if (from && to) return `${from} – ${to}`;
  if (to) return `≤ ${to}`;
  return from && `≥ ${from}`;
}
