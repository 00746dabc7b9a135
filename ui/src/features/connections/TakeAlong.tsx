import type { ConnectionView } from "../../api/bindings";
import { Disclosure } from "../../components/Disclosure";
import { SaveCopy } from "../../components/SaveCopy";
import { useWords } from "../../i18n";

/** The records of a source as files: every record byte for byte as it was received. */
export function TakeAlong({ connection }: { connection: ConnectionView }) {
  const { t } = useWords();
  return (
    <Disclosure title={t("export.title")}>
      <SaveCopy of={{ connectionId: connection.id }} formats={["bundle", "ndjson"]} help={t("export.help")} />
    </Disclosure>
  );
}
