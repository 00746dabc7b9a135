import { useId, type ReactNode } from "react";
import type { ClinicalDocumentView, ClinicalSectionView } from "../../api/bindings";
import { AsGiven } from "../../components/AsGiven";
import { formatFhirDate } from "../../fhir/dates";
import { useWords } from "../../i18n";
import { Nodes } from "./Narration";
import { Paper } from "./Paper";
import styles from "./documents.module.css";

/** Below the record's own heading and the document's. */
const LEVELS = ["h4", "h5", "h6"] as const;

interface SectionProps {
  section: ClinicalSectionView;
  id: string;
  depth: number;
}

const below = ({ id, depth }: Pick<SectionProps, "id" | "depth">, index: number) => ({ id: `${id}.${String(index)}`, depth: depth + 1 });

function Title({ section }: { section: ClinicalSectionView }) {
  const { t } = useWords();
  return section.title === null ? t("document.untitled") : <AsGiven>{section.title}</AsGiven>;
}

function Section({ section, id, depth }: SectionProps) {
  const { t, said } = useWords();
  const Heading = LEVELS[Math.min(depth, LEVELS.length - 1)] ?? "h6";
  const empty = section.content.length === 0 && section.sections.length === 0;
  return (
    <section aria-labelledby={id}>
      <Heading id={id} tabIndex={-1}>
        <Title section={section} />
      </Heading>
      {section.absent === null ? null : <p className={styles.absent}>{said(section.absent)}</p>}
      {empty && section.absent === null ? <p className={styles.absent}>{t("document.sectionEmpty")}</p> : null}
      <div className={styles.prose} lang="">
        <Nodes nodes={section.content} label={section.title ?? t("document.untitled")} />
      </div>
      {section.sections.map((inner, index) => (
        <Section key={index} section={inner} {...below({ id, depth }, index)} />
      ))}
    </section>
  );
}

function goTo(id: string) {
  const heading = document.getElementById(id);
  heading?.scrollIntoView({ block: "start" });
  heading?.focus({ preventScroll: true });
}

function Contents({ sections, id, depth }: { sections: readonly ClinicalSectionView[] } & Pick<SectionProps, "id" | "depth">) {
  return (
    <ol>
      {sections.map((section, index) => {
        const inner = below({ id, depth }, index);
        return (
          <li key={index}>
            <button type="button" className={styles.jump} onClick={() => goTo(inner.id)}>
              <Title section={section} />
            </button>
            {section.sections.length > 0 ? <Contents sections={section.sections} {...inner} /> : null}
          </li>
        );
      })}
    </ol>
  );
}

const given = (value: string | null) => (value === null ? null : <AsGiven>{value}</AsGiven>);

function Facts({ document }: { document: ClinicalDocumentView }) {
  const { t, intl } = useWords();
  const authors = document.authors.map((author) => <div key={author}>{given(author)}</div>);
  const facts: [string, ReactNode][] = [
    [t("document.patient"), given(document.patient)],
    [t("document.date"), document.date && formatFhirDate(intl, document.date)],
    [t("document.author"), authors.length > 0 ? authors : null],
    [t("document.custodian"), given(document.custodian)],
  ];
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}

/** A clinical document (HL7 CDA): who wrote it about whom, its sections to jump to, and what they say. */
export function Clinical({ document, name }: { document: ClinicalDocumentView; name: string }) {
  const { t } = useWords();
  const id = useId();
  const title = document.title ?? name;
  return (
    <Paper label={title}>
      <article className={styles.clinical} data-testid="clinical-document">
        <header>
          <h3>
            <AsGiven>{title}</AsGiven>
          </h3>
          <Facts document={document} />
        </header>
        {document.cut ? <p role="note" className={styles.cut}>{t("document.cut")}</p> : null}
        {document.sections.length > 1 ? (
          <nav className={styles.contents} aria-label={t("document.sections")}>
            <Contents sections={document.sections} id={id} depth={-1} />
          </nav>
        ) : null}
        {document.sections.length === 0 ? <p className={styles.absent}>{t("document.noSections")}</p> : null}
        {document.sections.map((section, index) => (
          <Section key={index} section={section} {...below({ id, depth: -1 }, index)} />
        ))}
      </article>
    </Paper>
  );
}
