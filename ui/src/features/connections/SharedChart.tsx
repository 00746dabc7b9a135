import { useJoinPeople, useSplitPeople } from "../../api/people";
import type { ConnectionView, PersonSourceView } from "../../api/bindings";
import { usePeople } from "../../api/queries";
import { Button } from "../../components/Button";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import styles from "./connections.module.css";

/** With which other sources this one is shown as one chart, and with which it could be. */
export function SharedChart({ connection }: { connection: ConnectionView }) {
  const { t, list } = useWords();
  const people = usePeople();
  const join = useJoinPeople();
  const split = useSplitPeople();
  const person = people.data?.people.find(({ sources }) => sources.some(({ connectionId }) => connectionId === connection.id));
  const others = person?.sources.filter(({ connectionId }) => connectionId !== connection.id) ?? [];
  const candidates = (people.data?.suggested ?? [])
    .filter(({ one, other }) => one.connectionId === connection.id || other.connectionId === connection.id)
    .map(({ one, other }) => (one.connectionId === connection.id ? other : one));
  const named = ({ patientName: name, source }: PersonSourceView) => t("people.source", { name, source });
  const problem = join.error ?? split.error;
  if (others.length === 0 && candidates.length === 0) return null;
  return (
    <div className={styles.shared}>
      {others.length > 0 ? (
        <p data-testid="shown-together">
          <span className={styles.help}>{t("people.together")}</span> {list(others.map(named))}{" "}
          <Button size="small" kind="quiet" data-testid="people-split" busy={split.isPending} onClick={() => split.mutate(connection.id)}>
            {t("people.split")}
          </Button>
        </p>
      ) : null}
      {candidates.map((candidate) => (
        <p key={candidate.connectionId}>
          <span className={styles.help}>{t("people.candidates")}</span> {named(candidate)}{" "}
          <Button
            size="small"
            kind="quiet"
            data-testid="people-join"
            busy={join.isPending}
            onClick={() => join.mutate({ one: connection.id, other: candidate.connectionId })}
          >
            {t("people.join")}
          </Button>
        </p>
      ))}
      {problem ? <ProblemNotice problem={problem} /> : null}
    </div>
  );
}
