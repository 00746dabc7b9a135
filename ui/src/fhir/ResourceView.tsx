import { useMemo } from "react";
import type { RecordKey, ReferenceView } from "../api/bindings";
import { Boundary } from "../components/Boundary";
import { Disclosure } from "../components/Disclosure";
import { useWords } from "../i18n";
import { baseName, collectCodes, type FoundCode } from "./codes";
import { CUSTOM } from "./custom";
import { ExtensionFields, Field, NamedFields, readableNames } from "./Fields";
import { entryOf, isFilled, isObject, object, objects, text, type JsonObject } from "./json";
import { ABOUT, layoutOf } from "./layouts";
import { useFirst } from "./More";
import { Narrative } from "./Narrative";
import { NestedValueProvider, type ValueProps } from "./NestedValue";
import { RecordSurroundingsProvider } from "./RecordContext";
import { Value } from "./Value";
import { Backbone } from "./Backbone";
import styles from "./fhir.module.css";

export interface ResourceViewProps {
  resource: JsonObject;
  references?: readonly ReferenceView[];
  onOpen?: (key: RecordKey) => void;
}

const showValue = (props: ValueProps) => <Value {...props} />;

function Group({ resource, names }: { resource: JsonObject; names: readonly string[] }) {
  const type = text(resource.resourceType);
  const custom = (name: string) => {
    const Custom = entryOf(CUSTOM, `${type ?? ""}.${name}`) ?? entryOf(CUSTOM, name);
    const value = resource[name];
    return Custom && isFilled(value) ? <Custom key={name} name={name} value={value} /> : undefined;
  };
  return <NamedFields parent={resource} names={names} depth={0} render={custom} />;
}

function Codes({ codes }: { codes: readonly FoundCode[] }) {
  const { t } = useWords();
  return (
    <div className={styles.scroll}>
      <table className={styles.codes}>
        <thead>
          <tr>
            <th scope="col">{t("codes.where")}</th>
            <th scope="col">{t("codes.meaning")}</th>
            <th scope="col">{t("codes.code")}</th>
          </tr>
        </thead>
        <tbody>
          {codes.map((code, index) => (
            <tr key={index}>
              <td>{code.where}</td>
              <td>{code.meaning ?? t("codes.noMeaning")}</td>
              <td>
                {code.system} <span className={styles.code}>{code.code}</span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Labels({ resource }: { resource: JsonObject }) {
  const { t } = useWords();
  const security = objects(object(resource.meta)?.security);
  if (security.length === 0) return null;
  return (
    <Field label={t("field.security")}>
      <Value name="security" value={security} depth={0} />
    </Field>
  );
}

/** What a record contains, whole records themselves. */
function Contained({ contained }: { contained: readonly JsonObject[] }) {
  const [shown, more] = useFirst(contained);
  return (
    <>
      {shown.map((inside, index) => (
        <Backbone key={index} value={inside} depth={1} />
      ))}
      {more}
    </>
  );
}

/** Any record in plain words. One that cannot be drawn is said to be there: its JSON always can. */
export function ResourceView(props: ResourceViewProps) {
  const { t } = useWords();
  return (
    <Boundary instead={<p className={styles.warning}>{t("record.unreadable")}</p>}>
      <Shown {...props} />
    </Boundary>
  );
}

/** What it says first, what it belongs to next, its codes last. */
function Shown({ resource, references = [], onOpen }: ResourceViewProps) {
  const words = useWords();
  const { t } = words;
  const type = text(resource.resourceType);
  const surroundings = useMemo(
    () => ({ references, contained: objects(resource.contained), onOpen }),
    [references, resource, onOpen],
  );
  const names = readableNames(resource);
  const main = layoutOf(type).main.flatMap((base) => names.filter((name) => name === base || baseName(name) === base));
  const about = ABOUT.filter((name) => names.includes(name));
  const rest = names.filter((name) => !main.includes(name) && !about.includes(name));
  const codes = useMemo(() => collectCodes(words, resource), [words, resource]);
  const narrative = isObject(resource.text) ? text(resource.text.div) : undefined;

  return (
    <NestedValueProvider value={showValue}>
      <RecordSurroundingsProvider value={surroundings}>
        <div className={styles.resource}>
          {text(resource.status) === "entered-in-error" ? <p className={styles.warning}>{t("record.enteredInError")}</p> : null}
          <dl className={styles.fields}>
            <Group resource={resource} names={main} />
            <ExtensionFields value={resource} depth={0} />
            <Group resource={resource} names={rest} />
          </dl>
          {surroundings.contained.length > 0 ? (
            <Disclosure title={t("record.contained", { count: surroundings.contained.length })}>
              <Contained contained={surroundings.contained} />
            </Disclosure>
          ) : null}
          {narrative ? (
            <Disclosure title={t("record.narrative")}>
              <Narrative html={narrative} />
            </Disclosure>
          ) : null}
          {about.length > 0 ? (
            <Disclosure title={t("record.about")}>
              <dl className={styles.fields}>
                <Group resource={resource} names={about} />
                <Labels resource={resource} />
              </dl>
            </Disclosure>
          ) : null}
          {codes.length > 0 ? (
            <Disclosure title={t("record.codes", { count: codes.length })}>
              <Codes codes={codes} />
            </Disclosure>
          ) : null}
        </div>
      </RecordSurroundingsProvider>
    </NestedValueProvider>
  );
}
