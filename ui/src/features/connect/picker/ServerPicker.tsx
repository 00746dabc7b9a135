import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import type { ProblemView, Role, ServerView } from "../../../api/bindings";
import { useCheckServer } from "../../../api/actions";
import { useSearchServersNow, useServerSearch } from "../../../api/queries";
import { Button } from "../../../components/Button";
import { EmptyState } from "../../../components/EmptyState";
import { Icon } from "../../../components/Icon";
import { ProblemNotice } from "../../../components/ProblemNotice";
import { Waiting } from "../../../components/Waiting";
import { useWords } from "../../../i18n";
import { checkAddress, looksLikeAddress } from "../address";
import { ServerCard } from "../ServerCard";
import { Directories } from "./Directories";
import styles from "./picker.module.css";

const WAIT_MS = 120;
const LIMIT = 50;
/** Logos are fetched for the first few; of the others when they are chosen. */
const PICTURES = 12;

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), value === "" ? 0 : WAIT_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** From the field to the first server, from one to the next, and back. */
function moveFocus(event: KeyboardEvent<HTMLElement>, list: HTMLElement | null, field: HTMLElement | null): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0 || !list) return;
  const cards = [...list.querySelectorAll<HTMLElement>("[data-testid=server-card]")];
  const at = cards.findIndex((card) => card === event.target);
  if (at < 0 && event.target !== field) return;
  const next = at + step < 0 ? field : cards[at + step];
  event.preventDefault();
  next?.focus();
}

/** One field to find a server by: its name, place or portal, or its address. */
export function ServerPicker({ onRole }: { onRole: (base: string, role: Role, preset?: string) => void }) {
  const { t } = useWords();
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const [found, setFound] = useState<ServerView | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const settled = useSettled(typed.trim());
  const search = useServerSearch(settled);
  const searchNow = useSearchServersNow();
  const check = useCheckServer();
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const help = useId();
  const listed = search.data ?? [];
  const servers = found && !listed.some(({ fhirBase }) => fhirBase === found.fhirBase) ? [found, ...listed] : listed;
  const nothing = settled !== "" && search.isSuccess && !search.isFetching && servers.length === 0;

  async function submit(): Promise<void> {
    if (typed.trim() !== "" && !looksLikeAddress(typed)) {
      const [first] = await searchNow(typed.trim());
      if (first) {
        setChosen(first.fhirBase);
        return;
      }
    }
    const checked = checkAddress(typed);
    if ("problem" in checked) {
      setProblem(checked.problem);
      return;
    }
    setProblem(null);
    check.mutate(checked.base, {
      onSuccess: ({ fhirBase, name, place, hasLogo, logoLicense }) => {
        setFound({ fhirBase, name, place, hasLogo, logoLicense, portal: null, description: t("connect.found"), forTesting: false });
        setChosen(fhirBase);
      },
      onError: setProblem,
    });
  }

  return (
    <section aria-labelledby="servers-heading" className={styles.picker}>
      <h2 id="servers-heading" className={styles.heading}>
        {t("connect.servers")}
      </h2>
      <form
        noValidate
        role="search"
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div className={styles.row}>
          <div className={styles.field} data-invalid={problem !== null || undefined}>
            <Icon name="search" />
            <input
              ref={field}
              data-testid="server-url"
              type="search"
              className={styles.search}
              aria-label={t("connect.search")}
              aria-describedby={help}
              aria-invalid={problem !== null}
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder={t("connect.searchExample")}
              value={typed}
              onChange={(event) => {
                setTyped(event.target.value);
                setProblem(null);
              }}
              onKeyDown={(event) => {
                if (event.key === "Escape") setTyped("");
                moveFocus(event, list.current, field.current);
              }}
            />
          </div>
          <Button type="submit" kind="primary" data-testid="server-connect" busy={check.isPending}>
            {check.isPending ? t("connect.checking") : t("connect.continue")}
          </Button>
        </div>
        <p id={help} className={styles.small}>
          {t("connect.searchHelp")}
        </p>
      </form>
      {problem && !check.isPending ? <ProblemNotice problem={problem} /> : null}
      {search.isPending ? <Waiting label={t("waiting.servers")} /> : null}
      {search.error ? <ProblemNotice problem={search.error} /> : null}
      <p role="status" className={styles.small}>
        {settled !== "" && servers.length > 0 ? (servers.length < LIMIT ? t("connect.matches", { count: servers.length }) : t("connect.matchesLimit", { limit: LIMIT })) : ""}
      </p>
      {nothing && !problem ? (
        <EmptyState icon="search" title={t("connect.none", { words: settled.slice(0, 60) })}>
          <p>{t("connect.noneHelp")}</p>
        </EmptyState>
      ) : null}
      <ul ref={list} className={styles.cards}>
        {servers.map((server, index) => (
          <ServerCard
            key={server.fhirBase}
            server={server}
            chosen={chosen === server.fhirBase}
            picture={server.hasLogo && (index < PICTURES || chosen === server.fhirBase)}
            onChoose={() => setChosen(server.fhirBase)}
            onKeyDown={(event) => moveFocus(event, list.current, field.current)}
            onRole={(role, preset) => onRole(server.fhirBase, role, preset)}
          />
        ))}
      </ul>
      <Directories />
    </section>
  );
}
