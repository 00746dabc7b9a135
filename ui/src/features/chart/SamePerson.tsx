import { useJoinPeople, useKeepPeopleApart } from "../../api/people";
import type { ConnectionView, PeopleView } from "../../api/bindings";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { ProblemNotice } from "../../components/ProblemNotice";
import { formatFhirDate } from "../../fhir/dates";
import { useWords } from "../../i18n";
import styles from "./banners.module.css";

interface SamePersonProps {
  people: PeopleView;
  sources: readonly ConnectionView[];
  onJoined: (personId: string) => void;
}

/** Another source has a chart of somebody of this name, birth date and sex: only the person knows whether it is theirs. */
export function SamePerson({ people, sources, onJoined }: SamePersonProps) {
  const { t, intl } = useWords();
  const join = useJoinPeople();
  const apart = useKeepPeopleApart();
  const here = (id: string) => sources.some((source) => source.id === id);
  const pair = people.suggested.find(({ one, other, refused }) => !refused && here(one.connectionId) !== here(other.connectionId));
  if (!pair) return null;
  const theirs = here(pair.one.connectionId) ? pair.other : pair.one;
  const both = { one: pair.one.connectionId, other: pair.other.connectionId };
  const problem = join.error ?? apart.error;
  return (
    <div className={styles.banners}>
      <div className={styles.same} role="region" aria-label={t("people.question")} data-testid="same-person">
        <Icon name="person" />
        <div className={styles.sameWords}>
          <p>
            {t("people.alsoAt", {
              source: theirs.source,
              name: theirs.patientName,
              date: theirs.birthDate ? formatFhirDate(intl, theirs.birthDate) : t("record.undated"),
            })}{" "}
            <strong>{t("people.question")}</strong>
          </p>
          <p className={styles.sameHelp}>{t("people.help")}</p>
          {problem ? <ProblemNotice problem={problem} /> : null}
        </div>
        <div className={styles.sameActions}>
          <Button kind="primary" size="small" data-testid="same-person-yes" busy={join.isPending} onClick={() => join.mutate(both, { onSuccess: ({ id }) => onJoined(id) })}>
            {t("people.yes")}
          </Button>
          <Button size="small" data-testid="same-person-no" busy={apart.isPending} onClick={() => apart.mutate(both)}>
            {t("people.no")}
          </Button>
        </div>
      </div>
    </div>
  );
}
