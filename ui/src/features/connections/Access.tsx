import type { AccessView, ConnectionView } from "../../api/bindings";
import { AsGiven } from "../../components/AsGiven";
import { Disclosure } from "../../components/Disclosure";
import { useWords } from "../../i18n";
import styles from "./connections.module.css";

function List({ items }: { items: readonly string[] }) {
  return (
    <ul className={styles.granted}>
      {items.map((item) => (
        <li key={item}>
          <AsGiven>{item}</AsGiven>
        </li>
      ))}
    </ul>
  );
}

/** How long access lasts, in one sentence. */
function Lasting({ access }: { access: AccessView }) {
  const { t, intl } = useWords();
  const date = intl.formatDate(access.expiresAt, { dateStyle: "long" });
  if (access.longLived) return <p data-testid="access-long-lived">{t("connections.longLived", { date })}</p>;
  return <p>{access.renewable ? t("connections.renewed") : t("connections.until", { date })}</p>;
}

/** What was shared of what was asked for, how long it lasts, and the exact permissions one click further. */
export function Access({ connection }: { connection: ConnectionView }) {
  const { t, said } = useWords();
  const { access, granted } = connection;
  return (
    <>
      {granted.length > 0 ? (
        <>
          <p>{t("connections.granted")}</p>
          <List items={granted.map(said)} />
        </>
      ) : (
        <p>{t("connections.grantedNothing")}</p>
      )}
      {access && access.notShared.length > 0 ? (
        <div data-testid="access-not-shared">
          <p>{t("connections.notShared")}</p>
          <List items={access.notShared.map(said)} />
        </div>
      ) : null}
      {access ? <Lasting access={access} /> : null}
      {access && access.superseded.length > 0 ? (
        <>
          <p>{t("connections.superseded", { count: access.superseded.length })}</p>
          <List items={access.superseded.map(({ sha256 }) => `SHA-256 ${sha256}`)} />
        </>
      ) : null}
      {access && access.scopes.length > 0 ? (
        <Disclosure title={t("connections.exact")}>
          <List items={access.scopes.map(({ scope, granted: grant }) => `${scope} – ${t(`grant.${grant}`)}`)} />
        </Disclosure>
      ) : null}
    </>
  );
}
