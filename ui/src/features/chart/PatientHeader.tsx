import type { AgeView, ChartView } from "../../api/bindings";
import { AsGiven } from "../../components/AsGiven";
import { Badge } from "../../components/Badge";
import { formatFhirDate } from "../../fhir/dates";
import { useWords, type Words } from "../../i18n";
import styles from "./header.module.css";

const IDENTIFIERS_SHOWN = 3;

/** "65 years"; "about 65 years" where only the year of birth is known. */
function ageWords({ t, intl }: Words, { number, unit, about }: AgeView): string {
  const age = intl.formatNumber(number, { style: "unit", unit, unitDisplay: "long" });
  return about ? t("age.about", { age }) : age;
}

/** Who this chart is about. */
export function PatientHeader({ chart }: { chart: ChartView }) {
  const words = useWords();
  const { t, said, intl } = words;
  const { patient, connection } = chart;
  if (!patient) {
    return (
      <div className={styles.who}>
        <h1 className={styles.name}>{t("chart.noPatient")}</h1>
        <p className={styles.facts}>{connection.serverName}</p>
      </div>
    );
  }
  const facts = [
    patient.age && ageWords(words, patient.age),
    patient.gender && said(patient.gender),
    patient.birthDate && t("chart.born", { date: formatFhirDate(intl, patient.birthDate) }),
  ].filter(Boolean);
  const identifiers = patient.identifiers.slice(0, IDENTIFIERS_SHOWN);
  return (
    <div className={styles.who}>
      <h1 className={styles.name} data-testid="patient-name">
        <AsGiven>{said(patient.name)}</AsGiven>
      </h1>
      <p className={styles.facts}>
        {facts.join(" · ")} {patient.deceased ? <Badge>{t("chart.died", { date: said(formatFhirDate(intl, patient.deceased)) })}</Badge> : null}
      </p>
      {identifiers.length > 0 ? (
        <dl className={styles.identifiers}>
          {identifiers.map(({ label, value }, index) => (
            <div key={index}>
              <dt>{said(label)}</dt>
              <dd>
                <AsGiven>{value}</AsGiven>
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </div>
  );
}
