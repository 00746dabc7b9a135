import type { ReactNode } from "react";
import type { Role } from "../../../api/bindings";
import { useServerCheck } from "../../../api/queries";
import { Button } from "../../../components/Button";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { Waiting } from "../../../components/Waiting";
import { useWords } from "../../../i18n";
import { Abilities } from "./Abilities";
import styles from "./picker.module.css";

interface ServerOfferProps {
  base: string;
  /** The choice of who signs in, among the roles that the server allows. */
  roles: (roles: readonly Role[]) => ReactNode;
}

/** What a chosen server offers, as it says itself: asked when it is chosen. */
export function ServerOffer({ base, roles }: ServerOfferProps) {
  const { t } = useWords();
  const check = useServerCheck(base);
  if (check.error) {
    return (
      <ProblemNotice problem={check.error}>
        <Button data-testid="check-again" busy={check.isFetching} onClick={() => void check.refetch()}>
          {t("action.tryAgain")}
        </Button>
      </ProblemNotice>
    );
  }
  if (!check.data) return <Waiting label={t("connect.checking")} />;
  const people = check.data.roles.filter((role) => role !== "backend");
  const here = check.data.launches.includes("here") && people.length > 0;
  const inPortal = check.data.launches.includes("portal");
  return (
    <div className={styles.offer}>
      {here && !check.data.canRegister ? <p className={styles.note}>{t("connect.cannotRegister")}</p> : null}
      {here ? roles(people) : <p className={styles.note}>{t(inPortal ? "connect.onlyPortal" : "connect.nobody")}</p>}
      <Abilities check={check.data} />
    </div>
  );
}
