import type { ChartView } from "../../api/bindings";
import { Badge } from "../../components/Badge";
import { formatFhirDate } from "../../fhir/dates";
import { useWords } from "../../i18n";
import styles from "./header.module.css";

const IDENTIFIERS_SHOWN = 3;

/** Who this chart is about. */
export function PatientHeader({ chart }: { chart: ChartView }) {
  const { t, intl } = useWords();
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
    patient.age,
    patient.gender,
    patient.birthDate && t("chart.born", { date: formatFhirDate(intl, patient.birthDate) }),
  ].filter(Boolean);
  const identifiers = patient.identifiers.slice(0, IDENTIFIERS_SHOWN);
  return (
    <div className={styles.who}>
      <h1 className={styles.name} data-testid="patient-name">
        {patient.name}
      </h1>
      <p className={styles.facts}>
        {facts.join(" · ")} {patient.deceased ? <Badge>{patient.deceased}</Badge> : null}
      </p>
      {identifiers.length > 0 ? (
        <dl className={styles.identifiers}>
          {identifiers.map(({ label, value }, index) => (
            <div key={index}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      ) : null}
    </div>
  );
}
