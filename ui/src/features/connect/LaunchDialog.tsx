import { useAcceptLaunch, useRefuseLaunch } from "../../api/actions";
import { useLaunches } from "../../api/queries";
import { AsGiven } from "../../components/AsGiven";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import styles from "./connect.module.css";

/** A link asks Satchel to sign in at a server that it does not know: the person decides, the host in view. */
export function LaunchDialog({ onStarted }: { onStarted: () => void }) {
  const { t } = useWords();
  const [request] = useLaunches().data ?? [];
  const accept = useAcceptLaunch();
  const refuse = useRefuseLaunch();
  if (!request) return accept.error ? <ProblemNotice problem={accept.error} /> : null;
  const no = () => refuse.mutate(request.id);
  return (
    <Dialog
      open
      onClose={no}
      title={t("launch.title", { host: request.host })}
      actions={
        <>
          <Button data-testid="launch-refuse" onClick={no}>
            {t("launch.no")}
          </Button>
          <Button kind="primary" data-testid="launch-accept" busy={accept.isPending} onClick={() => accept.mutate(request.id, { onSuccess: onStarted })}>
            {t("launch.yes")}
          </Button>
        </>
      }
    >
      <p>{t(request.known ? "launch.many" : "launch.why")}</p>
      <p className={styles.cardBase}>
        <AsGiven>{request.fhirBase}</AsGiven>
      </p>
      <p>{t("launch.check")}</p>
    </Dialog>
  );
}
