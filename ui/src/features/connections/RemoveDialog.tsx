import { useRemoveConnection } from "../../api/actions";
import type { ConnectionView } from "../../api/bindings";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";

/** Asks before a connection and its records go. */
export function RemoveDialog({ connection, onClose }: { connection: ConnectionView; onClose: () => void }) {
  const { t } = useWords();
  const remove = useRemoveConnection();
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("remove.title", { server: connection.serverName })}
      actions={
        <>
          <Button onClick={onClose}>{t("action.keep")}</Button>
          <Button kind="danger" data-testid="confirm-remove" busy={remove.isPending} onClick={() => remove.mutate(connection.id, { onSuccess: onClose })}>
            {remove.isPending ? t("remove.going") : t("remove.confirm")}
          </Button>
        </>
      }
    >
      <p>{t("remove.data", { count: connection.recordCount, name: connection.patientName ?? connection.serverName })}</p>
      <p>{t("remove.access")}</p>
      {remove.error ? <ProblemNotice problem={remove.error} /> : null}
    </Dialog>
  );
}
