import type { AbilityView, ServerCheckView } from "../../../api/bindings";
import { useOpenManagement } from "../../../api/actions";
import { Button } from "../../../components/Button";
import { Disclosure } from "../../../components/Disclosure";
import { Icon } from "../../../components/Icon";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { useWords } from "../../../i18n";
import styles from "./picker.module.css";

function Line({ view }: { view: AbilityView }) {
  const { t } = useWords();
  return (
    <li className={view.offered ? styles.can : styles.cannot} data-testid={`ability-${view.ability}`}>
      <Icon name={view.offered ? "check" : "close"} size={16} />
      <span>
        {view.offered ? null : <span className={styles.not}>{t("can.not")} </span>}
        {t(`can.${view.ability}`)}
      </span>
    </li>
  );
}

/** What the server can do, in plain words; its own words below. */
export function Abilities({ check }: { check: ServerCheckView }) {
  const { t, list } = useWords();
  const manage = useOpenManagement();
  const sorted = [...check.abilities].sort((a, b) => Number(b.offered) - Number(a.offered));
  return (
    <Disclosure title={t("can.title")}>
      <ul className={styles.abilities} data-testid="abilities">
        {sorted.map((view) => (
          <Line key={view.ability} view={view} />
        ))}
      </ul>
      <p className={styles.exact}>{t("can.exact", { list: list(check.capabilities) || t("can.nothingListed") })}</p>
      {check.logoLicense ? <p className={styles.exact}>{t("can.logoTerms", { terms: check.logoLicense })}</p> : null}
      {manage.error ? <ProblemNotice problem={manage.error} quiet /> : null}
      {check.canManage ? (
        <Button size="small" data-testid="manage-access" busy={manage.isPending} onClick={() => manage.mutate(check.fhirBase)}>
          <Icon name="external" size={16} />
          {t("can.manage")}
        </Button>
      ) : null}
    </Disclosure>
  );
}
