import type { ReactNode } from "react";
import { useWords } from "../i18n";
import { fieldLabel } from "./codes";
import { DataAbsent } from "./DataAbsent";
import { TECHNICAL } from "./datatype";
import { useExtensionLabel } from "./Extension";
import { isFilled, isObject, list, object, objects, text, type Json, type JsonObject } from "./json";
import { NestedValue } from "./NestedValue";
import { useFirst } from "./More";
import styles from "./fhir.module.css";

/** Elements and extensions of one object that are shown at first: no record that means well has more. */
const FIRST = 100;

/** Elements that say nothing to people. */
const SILENT = new Set(["resourceType", "id", "meta", "implicitRules", "contained", "text"]);

function absentReason(primitive: Json | undefined): Json | undefined {
  return objects(object(primitive)?.extension).find((extension) => text(extension.url)?.endsWith("data-absent-reason"))?.valueCode;
}

function isSilent(name: string, value: JsonObject): boolean {
  if (name === "text") return !(typeof value.text === "string" || "linkId" in value);
  return SILENT.has(name) || TECHNICAL.has(name);
}

/** Element names of an object that people read, with primitives known by their extension only. */
export function readableNames(value: JsonObject): string[] {
  const names = Object.keys(value).map((name) => name.replace(/^_/, ""));
  return [...new Set(names)].filter((name) => {
    if (name === "extension" || name === "modifierExtension" || isSilent(name, value)) return false;
    return isFilled(value[name]) || absentReason(list(value[`_${name}`]).find(isFilled)) !== undefined;
  });
}

export function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.field}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** One element with its label. */
function NamedField({ parent, name, depth, label }: { parent: JsonObject; name: string; depth: number; label?: string }) {
  const words = useWords();
  const value = parent[name];
  const hidden = list(parent[`_${name}`]).find(isFilled);
  return (
    <Field label={label ?? fieldLabel(words, name)}>
      {isFilled(value) ? <NestedValue name={name} value={value} depth={depth} /> : <DataAbsent reason={absentReason(hidden)} />}
    </Field>
  );
}

/** Extensions, each under its own label. */
export function ExtensionFields({ value, depth }: { value: JsonObject; depth: number }) {
  const label = useExtensionLabel();
  const { t } = useWords();
  const extensions = [...objects(value.extension), ...objects(value.modifierExtension).map((item) => ({ ...item, modifies: true }))];
  const filled = extensions.filter((extension) => isFilled({ ...extension, url: undefined, modifies: undefined }));
  const [shown, more] = useFirst(filled, FIRST);
  return (
    <>
      {shown.map((extension, index) => (
        <Field key={index} label={"modifies" in extension ? t("extension.modifier", { label: label(extension) }) : label(extension)}>
          <NestedValue name="extension" value={extension} depth={depth} />
        </Field>
      ))}
      {more ? <Field label={t("list.more")}>{more}</Field> : null}
    </>
  );
}

/** Elements by their names, each with its label or as `render` has it. */
export function NamedFields({ parent, names, depth, render }: { parent: JsonObject; names: readonly string[]; depth: number; render?: (name: string) => ReactNode }) {
  const { t } = useWords();
  const [shown, more] = useFirst(names, FIRST);
  return (
    <>
      {shown.map((name) => render?.(name) ?? <NamedField key={name} parent={parent} name={name} depth={depth} />)}
      {more ? <Field label={t("list.more")}>{more}</Field> : null}
    </>
  );
}

/** Every element of an object that people read; `only` keeps to some of them, in that order. */
export function Fields({ value, depth, only }: { value: JsonObject; depth: number; only?: readonly string[] }) {
  const names = only ?? readableNames(value);
  if (!isObject(value)) return null;
  return (
    <dl className={styles.fields}>
      <NamedFields parent={value} names={names} depth={depth} />
      {only ? null : <ExtensionFields value={value} depth={depth} />}
    </dl>
  );
}
