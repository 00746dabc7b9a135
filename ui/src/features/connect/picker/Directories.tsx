import { useRef, useState } from "react";
import type { DirectoryView, ProblemView } from "../../../api/bindings";
import { useImportDirectory, useRemoveDirectory } from "../../../api/actions";
import { useDirectories } from "../../../api/queries";
import { AsGiven } from "../../../components/AsGiven";
import { Button } from "../../../components/Button";
import { Disclosure } from "../../../components/Disclosure";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { useWords } from "../../../i18n";
import styles from "./picker.module.css";

const MAX_BYTES = 64 * 1024 * 1024;
const TOO_LARGE: ProblemView = { code: "directory.not_a_list", message: "", advice: "", detail: "> 64 MiB", canRetry: false };

function Imported({ directory }: { directory: DirectoryView }) {
  const { t, find, list, intl } = useWords();
  const remove = useRemoveDirectory();
  const reasons = directory.reasons.map(({ reason, count }) => t("lists.reason", { count, reason: find(`lists.skipped.${reason}`) ?? reason }));
  return (
    <li className={styles.list} data-testid="directory">
      <div className={styles.listWords}>
        <span className={styles.listName}>
          <AsGiven>{directory.source.replace(/^file:/, "")}</AsGiven>
        </span>
        <span className={styles.small}>{t("lists.servers", { count: directory.servers, date: intl.formatDate(directory.importedAt, { dateStyle: "medium" }) })}</span>
        {directory.skipped > 0 ? (
          <details className={styles.small}>
            <summary>{t("lists.skipped", { count: directory.skipped })}</summary>
            {list(reasons)}
          </details>
        ) : null}
        {remove.error ? <ProblemNotice problem={remove.error} quiet /> : null}
      </div>
      <Button size="small" busy={remove.isPending} onClick={() => remove.mutate(directory.id)}>
        {t("lists.forget")}
      </Button>
    </li>
  );
}

/** Lists of servers: what was imported, and importing another one. */
export function Directories() {
  const { t } = useWords();
  const [address, setAddress] = useState("");
  const [tooLarge, setTooLarge] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const directories = useDirectories();
  const bringIn = useImportDirectory();
  const problem = tooLarge ? TOO_LARGE : bringIn.error;

  async function chosen(picked: File | undefined): Promise<void> {
    if (!picked) return;
    setTooLarge(picked.size > MAX_BYTES);
    if (picked.size <= MAX_BYTES) bringIn.mutate({ name: picked.name, text: await picked.text() });
    if (file.current) file.current.value = "";
  }

  return (
    <Disclosure title={t("lists.title")}>
      <div className={styles.lists}>
        <p className={styles.small}>{t("lists.help")}</p>
        {directories.data?.length ? (
          <ul className={styles.listRows}>
            {directories.data.map((directory) => (
              <Imported key={directory.id} directory={directory} />
            ))}
          </ul>
        ) : null}
        <form
          className={styles.row}
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            setTooLarge(false);
            bringIn.mutate({ address }, { onSuccess: () => setAddress("") });
          }}
        >
          <input
            className={styles.input}
            data-testid="directory-url"
            type="url"
            autoComplete="off"
            spellCheck={false}
            aria-label={t("lists.address")}
            placeholder={t("lists.addressExample")}
            value={address}
            onChange={(event) => setAddress(event.target.value)}
          />
          <Button type="submit" data-testid="directory-import" busy={bringIn.isPending} disabled={address.trim() === ""}>
            {bringIn.isPending ? t("lists.importing") : t("lists.import")}
          </Button>
          <Button disabled={bringIn.isPending} onClick={() => file.current?.click()}>
            {t("lists.file")}
          </Button>
          <input ref={file} hidden type="file" data-testid="directory-file" accept=".json,application/json,application/fhir+json" aria-label={t("lists.file")} onChange={(event) => void chosen(event.target.files?.[0])} />
        </form>
        <p role="status" className={styles.small}>
          {bringIn.data && !problem ? t("lists.done", { count: bringIn.data.servers }) : ""}
        </p>
        {problem && !bringIn.isPending ? <ProblemNotice problem={problem} /> : null}
      </div>
    </Disclosure>
  );
}
