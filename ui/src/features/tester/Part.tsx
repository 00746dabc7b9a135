import type { TracePartView } from "../../api/bindings";
import { CopyButton } from "../../components/CopyButton";
import { useWords } from "../../i18n";
import styles from "./tester.module.css";

/** Headers, a form, JSON, or a decoded token. */
export function Part({ part }: { part: TracePartView }) {
  const { t, facts } = useWords();
  const about = facts([part.label, part.size !== null && t("trace.bytes", { count: part.size })]);
  const empty = part.fields.length === 0 && part.text === null;
  return (
    <section className={styles.part} data-part={part.part}>
      <div className={styles.partHead}>
        <h3 className={styles.partName}>{t(`trace.part.${part.part}`)}</h3>
        {about ? <span className={styles.help}>{about}</span> : null}
      </div>
      {part.fields.length > 0 ? (
        <dl className={styles.fields}>
          {part.fields.map(({ label, value }, index) => (
            <div key={index} className={styles.field}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
      {part.text === null ? null : (
        <div className={styles.json}>
          {/* A long text scrolls sideways: the keyboard has to get there too. */}
          <pre tabIndex={0} role="region" aria-label={t(`trace.part.${part.part}`)}>
            {part.text}
          </pre>
          <CopyButton text={part.text} label={t("trace.copyPart")} />
        </div>
      )}
      {empty ? <p className={styles.help}>{part.size === 0 ? t("trace.empty") : t("trace.notShown")}</p> : null}
    </section>
  );
}
