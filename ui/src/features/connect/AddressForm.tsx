import { useState } from "react";
import type { ProblemView, ServerCheckView } from "../../api/bindings";
import { useCheckServer } from "../../api/actions";
import { Button } from "../../components/Button";
import { ProblemNotice } from "../../components/ProblemNotice";
import { useWords } from "../../i18n";
import { checkAddress } from "./address";
import styles from "./connect.module.css";

/** A server that is not in the list, by its address. */
export function AddressForm({ onChecked }: { onChecked: (server: ServerCheckView) => void }) {
  const { t } = useWords();
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const check = useCheckServer();

  function submit(): void {
    const checked = checkAddress(typed);
    if ("problem" in checked) return setProblem(checked.problem);
    setProblem(null);
    check.mutate(checked.base, { onSuccess: onChecked, onError: setProblem });
  }

  return (
    <form
      className={styles.address}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label htmlFor="server-url" className={styles.heading}>
        {t("connect.address")}
      </label>
      <p id="server-url-help" className={styles.help}>
        {t("connect.addressHelp")}
      </p>
      <div className={styles.addressRow}>
        <input
          id="server-url"
          data-testid="server-url"
          className={styles.input}
          type="url"
          inputMode="url"
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="none"
          placeholder={t("connect.addressExample")}
          aria-describedby="server-url-help"
          aria-invalid={problem !== null}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button type="submit" kind="primary" data-testid="server-connect" busy={check.isPending}>
          {check.isPending ? t("connect.checking") : t("connect.continue")}
        </Button>
      </div>
      {problem && !check.isPending ? <ProblemNotice problem={problem} /> : null}
    </form>
  );
}
