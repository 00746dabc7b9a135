import type { ChartSectionView, Section, YearView } from "../../../api/bindings";
import { Button } from "../../../components/Button";
import { Icon } from "../../../components/Icon";
import { Select } from "../../../components/Select";
import { useWords } from "../../../i18n";
import { sectionTitle } from "../sections";
import styles from "./timeline.module.css";

interface ControlsProps {
  sections: readonly ChartSectionView[];
  section: Section | null;
  abnormal: boolean;
  years: readonly YearView[];
  onSection: (section: Section | null) => void;
  onAbnormal: (abnormal: boolean) => void;
  onYear: (year: YearView) => void;
}

/** What of everything is shown, and where to jump to. */
export function Controls({ sections, section, abnormal, years, onSection, onAbnormal, onYear }: ControlsProps) {
  const words = useWords();
  const { t } = words;
  const nameOf = ({ year }: YearView) => (year === null ? t("timeline.undated") : String(year));
  const filled = sections.filter(({ count }) => count > 0);
  return (
    <div className={styles.controls}>
      <Select
        label={t("timeline.kind")}
        value={section ?? ""}
        data-testid="timeline-kind"
        onChange={(event) => onSection(filled.find((one) => one.section === event.target.value)?.section ?? null)}
      >
        <option value="">{t("timeline.everything")}</option>
        {filled.map((one) => (
          <option key={one.section} value={one.section}>
            {sectionTitle(words, one)}
          </option>
        ))}
      </Select>
      <Button size="small" data-testid="timeline-abnormal" aria-pressed={abnormal} kind={abnormal ? "primary" : "secondary"} onClick={() => onAbnormal(!abnormal)}>
        <Icon name="abnormal" size={16} />
        {t("timeline.abnormal")}
      </Button>
      <Select
        label={t("timeline.jump")}
        value=""
        data-testid="timeline-year"
        disabled={years.length < 2}
        onChange={(event) => {
          const year = years.find((one) => nameOf(one) === event.target.value);
          if (year) onYear(year);
        }}
      >
        <option value="" disabled>
          {t("timeline.year")}
        </option>
        {years.map((one) => (
          <option key={nameOf(one)} value={nameOf(one)}>
            {t("timeline.yearOf", { year: nameOf(one), count: one.records })}
          </option>
        ))}
      </Select>
    </div>
  );
}
