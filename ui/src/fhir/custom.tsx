/** Elements that deserve better than a list of labels, by "Type.element" or "element". */
import type { ComponentType } from "react";
import { useWords, type Words } from "../i18n";
import { rangeWords } from "./amounts";
import { conceptsWords, conceptWords } from "./codes";
import { DataAbsent } from "./DataAbsent";
import { Field } from "./Fields";
import { isFilled, objects, text, type Json, type JsonObject } from "./json";
import { useFirst } from "./More";
import { NestedValue } from "./NestedValue";
import styles from "./fhir.module.css";

export interface CustomProps {
  name: string;
  value: Json;
}

/** Reference ranges shown beside a part. */
const RANGES = 10;

function valueEntry(element: JsonObject, prefix: string): [string, Json] | undefined {
  const found = Object.entries(element).find(([name, value]) => name.startsWith(prefix) && isFilled(value));
  return found && [found[0], found[1] ?? null];
}

/** "0.6 – 1.3 mg/dL, for women". */
function referenceRangeWords(words: Words, range: JsonObject): string | undefined {
  const limits = text(range.text) ?? rangeWords(words, range);
  const age = rangeWords(words, range.age);
  const who = [...conceptsWords(words, range.appliesTo), conceptWords(words, range.type), age && words.t("range.age", { age })];
  return words.facts([limits, ...who]) || undefined;
}

function ReferenceRange({ value }: CustomProps) {
  const words = useWords();
  const [ranges, more] = useFirst(objects(value));
  const said = ranges.flatMap((range) => referenceRangeWords(words, range) ?? []);
  return (
    <Field label={words.t("field.referenceRange")}>
      {said.join("; ") || <DataAbsent />} {more}
    </Field>
  );
}

/** The parts of a panel: blood pressure, a score. */
function Components({ value }: CustomProps) {
  const words = useWords();
  const [parts, more] = useFirst(objects(value));
  return (
    <Field label={words.t("field.component")}>
      <table className={styles.parts}>
        <tbody>
          {parts.map((part, index) => {
            const result = valueEntry(part, "value");
            const flag = words.list(conceptsWords(words, part.interpretation));
            const range = objects(part.referenceRange).slice(0, RANGES).flatMap((item) => referenceRangeWords(words, item) ?? []);
            return (
              <tr key={index}>
                <th scope="row">{conceptWords(words, part.code)}</th>
                <td>{result ? <NestedValue name={result[0]} value={result[1]} depth={2} /> : <DataAbsent reason={part.dataAbsentReason} />}</td>
                <td className={styles.aside}>{words.facts([flag, ...range])}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {more}
    </Field>
  );
}

/** Answers shown to one question. */
const ANSWERS = 50;

function Question({ item, depth }: { item: JsonObject; depth: number }) {
  const { t } = useWords();
  const answers = objects(item.answer);
  const inner = [...objects(item.item), ...answers.flatMap((answer) => objects(answer.item))];
  const asked = text(item.text);
  const [shown, more] = useFirst(inner);
  const values = answers.slice(0, ANSWERS).flatMap((answer) => {
    const found = valueEntry(answer, "value");
    return found ? [found] : [];
  });
  return (
    <li className={styles.question}>
      <span className={styles.asked}>{asked ?? t("question.unnamed")}</span>
      {values.map(([name, value], index) => (
        <span className={styles.answer} key={index}>
          <NestedValue name={name} value={value} depth={2} />
        </span>
      ))}
      {values.length === 0 && inner.length === 0 && "answer" in item ? <DataAbsent /> : null}
      {inner.length > 0 && depth < 8 ? (
        <ul>
          {shown.map((child, index) => (
            <Question key={index} item={child} depth={depth + 1} />
          ))}
          {more ? <li>{more}</li> : null}
        </ul>
      ) : null}
    </li>
  );
}

function Questions({ name, value }: CustomProps) {
  const words = useWords();
  const [items, more] = useFirst(objects(value), 100);
  return (
    <Field label={words.t(name === "item" ? "field.questions" : "field.item")}>
      <ul className={styles.questions}>
        {items.map((item, index) => (
          <Question key={index} item={item} depth={0} />
        ))}
        {more ? <li>{more}</li> : null}
      </ul>
    </Field>
  );
}

export const CUSTOM: Record<string, ComponentType<CustomProps>> = {
  referenceRange: ReferenceRange,
  "Observation.component": Components,
  "QuestionnaireResponse.item": Questions,
};
