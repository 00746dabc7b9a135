import { useState, type KeyboardEvent } from "react";
import type { Role, ServerView } from "../../api/bindings";
import { AsGiven } from "../../components/AsGiven";
import { Badge } from "../../components/Badge";
import { Button } from "../../components/Button";
import { Icon } from "../../components/Icon";
import { useWords } from "../../i18n";
import { HowMuch } from "./HowMuch";
import { ServerLogo } from "./picker/ServerLogo";
import { ServerOffer } from "./picker/ServerOffer";
import styles from "./connect.module.css";

/** Who signs in; choosing it starts the sign-in. */
function RoleChoice({ roles, onChoose }: { roles: readonly Role[]; onChoose: (role: Role) => void }) {
  const { t } = useWords();
  return (
    <div className={styles.roles} role="group" aria-label={t("connect.role")}>
      <p className={styles.roleQuestion}>{t("connect.role")}</p>
      <div className={styles.roleRow}>
        {roles.includes("patient") ? (
          <Button className={styles.role} kind="primary" data-testid="role-patient" onClick={() => onChoose("patient")}>
            <Icon name="person" />
            <span>
              {t("connect.patient")}
              <span className={styles.roleHelp}>{t("connect.patientHelp")}</span>
            </span>
          </Button>
        ) : null}
        {roles.includes("provider") ? (
          <Button className={styles.role} data-testid="role-provider" onClick={() => onChoose("provider")}>
            <Icon name="care" />
            <span>
              {t("connect.provider")}
              <span className={styles.roleHelp}>{t("connect.providerHelp")}</span>
            </span>
          </Button>
        ) : null}
      </div>
    </div>
  );
}

interface ServerCardProps {
  server: ServerView;
  chosen: boolean;
  /** Whether to ask for its logo. */
  picture: boolean;
  onChoose: () => void;
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
  onRole: (role: Role, preset?: string) => void;
}

/** A server, and once it is chosen, who signs in there. */
export function ServerCard({ server, chosen, picture, onChoose, onKeyDown, onRole }: ServerCardProps) {
  const { t } = useWords();
  const [preset, setPreset] = useState<string>();
  const facts = [server.place, server.portal].filter(Boolean);
  return (
    <li className={chosen ? styles.cardChosen : styles.card}>
      <button type="button" className={styles.cardButton} data-testid="server-card" data-base={server.fhirBase} aria-expanded={chosen} onClick={onChoose} onKeyDown={onKeyDown}>
        <ServerLogo base={server.fhirBase} wanted={picture} />
        <span className={styles.cardWords}>
          <span className={styles.cardName}>
            <AsGiven>{server.name}</AsGiven> {server.forTesting ? <Badge tone="sand">{t("connect.forTesting")}</Badge> : null}
          </span>
          {server.description ? (
            <span className={styles.help}>
              <AsGiven>{server.description}</AsGiven>
            </span>
          ) : null}
          {facts.length > 0 ? (
            <span className={styles.help}>
              <AsGiven>{facts.join(" — ")}</AsGiven>
            </span>
          ) : null}
          <span className={styles.cardBase}>
            <AsGiven>{server.fhirBase}</AsGiven>
          </span>
        </span>
      </button>
      {chosen ? (
        <div className={styles.cardRoles}>
          <ServerOffer
            base={server.fhirBase}
            roles={(roles) => (
              <>
                <RoleChoice roles={roles} onChoose={(role) => onRole(role, preset)} />
                <HowMuch base={server.fhirBase} role={roles[0] ?? "patient"} chosen={preset} onChoose={setPreset} />
              </>
            )}
          />
        </div>
      ) : null}
    </li>
  );
}
