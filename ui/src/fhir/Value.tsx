import type { ComponentType } from "react";
import { useWords } from "../i18n";
import { Address } from "./Address";
import { Annotation } from "./Annotation";
import { Attachment } from "./Attachment";
import { Backbone } from "./Backbone";
import { CodeableConcept } from "./CodeableConcept";
import { Coding } from "./Coding";
import { ContactPoint } from "./ContactPoint";
import { datatypeOf, MAX_DEPTH, type Datatype } from "./datatype";
import { Dosage } from "./Dosage";
import { Extension } from "./Extension";
import { HumanName } from "./HumanName";
import { Identifier } from "./Identifier";
import { isFilled, isObject, list, text, type JsonObject } from "./json";
import { Money } from "./Money";
import { Narrative } from "./Narrative";
import { Period } from "./Period";
import { Primitive } from "./Primitive";
import { Quantity } from "./Quantity";
import { Range } from "./Range";
import { Ratio } from "./Ratio";
import { Reference } from "./Reference";
import { SampledData } from "./SampledData";
import { Timing } from "./Timing";
import { More } from "./More";
import type { ValueProps } from "./NestedValue";
import styles from "./fhir.module.css";

const PLAIN: Partial<Record<Datatype, ComponentType<{ value: JsonObject }>>> = {
  Address,
  Annotation,
  Attachment,
  CodeableConcept,
  Coding,
  ContactPoint,
  Dosage,
  HumanName,
  Identifier,
  Money,
  Period,
  Quantity,
  Range,
  Ratio,
  Reference,
  SampledData,
  Timing,
};

function One({ name, value, depth }: ValueProps) {
  const { t } = useWords();
  if (!isObject(value)) return <Primitive name={name} value={value} />;
  if (depth > MAX_DEPTH) return <span className={styles.absent}>{t("value.deeper")}</span>;
  const type = datatypeOf(name, value);
  const Plain = PLAIN[type];
  if (Plain) return <Plain value={value} />;
  if (type === "Extension") return <Extension value={value} depth={depth} />;
  if (type === "Narrative") return <Narrative html={text(value.div) ?? ""} />;
  return <Backbone value={value} depth={depth} />;
}

/** Any element's value, one or many, by its datatype. */
export function Value({ name, value, depth }: ValueProps) {
  const items = list(value).filter(isFilled);
  const [first] = items;
  if (first === undefined) return null;
  if (items.length === 1) return <One name={name} value={first} depth={depth} />;
  return <More items={items} render={(item) => <One name={name} value={item} depth={depth} />} />;
}
