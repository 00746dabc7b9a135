import type { ChartSectionView, Section } from "../../api/bindings";
import { Icon } from "../../components/Icon";
import { useWords } from "../../i18n";
import { sectionTitle } from "./sections";
import styles from "./sections.module.css";

const INCOMPLETE = new Set(["failed", "cutOff"]);
const LEFT_OUT = new Set(["notShared", "notOffered"]);

/** How many records, and in words when they may not be all. */
function Completeness({ section }: { section: ChartSectionView }) {
  const { t } = useWords();
  const { outcome } = section;
  if (!outcome) return null;
  if (INCOMPLETE.has(outcome)) {
    return (
      <span className={styles.incomplete}>
        <Icon name="abnormal" size={14} />
        {t(`outcome.${outcome}`)}
      </span>
    );
  }
  return LEFT_OUT.has(outcome) ? <span className={styles.leftOut}>{t(`outcome.${outcome}`)}</span> : null;
}

/** What a chart can show in its middle: a section, the summary of all of them, or everything by date. */
export type ChartPart = Section | "summary" | "timeline";

interface SectionListProps {
  sections: readonly ChartSectionView[];
  current: ChartPart;
  onSelect: (part: ChartPart) => void;
}

/** The parts of a chart. */
export function SectionList({ sections, current, onSelect }: SectionListProps) {
  const words = useWords();
  const { t, intl } = words;
  return (
    <nav aria-label={t("chart.sections")} className={styles.sections}>
      <ul>
        <li>
          <button type="button" className={styles.section} data-testid="section-summary" aria-current={current === "summary"} onClick={() => onSelect("summary")}>
            <span className={styles.title}>{t("summary.title")}</span>
          </button>
        </li>
        <li>
          <button type="button" className={styles.section} data-testid="section-timeline" aria-current={current === "timeline"} onClick={() => onSelect("timeline")}>
            <span className={styles.title}>{t("timeline.title")}</span>
          </button>
        </li>
        {sections.map((section) => (
          <li key={section.section}>
            <button
              type="button"
              className={styles.section}
              data-testid={`section-${section.section}`}
              aria-current={section.section === current}
              onClick={() => onSelect(section.section)}
            >
              <span className={styles.title}>
                {sectionTitle(words, section)}
                <Completeness section={section} />
              </span>
              <span className={section.count > 0 ? styles.count : styles.none}>{intl.formatNumber(section.count)}</span>
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
