import { useChooseSchedule, useSetSchedule } from "../../api/actions";
import type { ConnectionScheduleView, Every, ScheduleSettingsView } from "../../api/bindings";
import { useSchedule } from "../../api/queries";
import { Disclosure } from "../../components/Disclosure";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Select } from "../../components/Select";
import { useWords, type MessageId, type Words } from "../../i18n";
import { whenInWords } from "./when";
import styles from "./connections.module.css";

const EVERY: readonly Every[] = ["3h", "6h", "12h", "daily", "weekly", "off"];

/** What comes next, and what it waits for, in one sentence. */
function standing(schedule: ConnectionScheduleView, now: number, words: Words): string | null {
  const { wait, nextAt, due } = schedule;
  if (wait === "signIn" || wait === "battery" || wait === "metered") return words.t(`schedule.wait.${wait}`);
  if (!nextAt) return null;
  const when = due ? words.t("schedule.soon") : whenInWords(nextAt, now, words);
  return words.t(wait === "afterFailure" ? "schedule.again" : "schedule.next", { when });
}

/** How often one source is fetched by itself, and when next. */
export function Schedule({ connectionId }: { connectionId: string }) {
  const words = useWords();
  const { data, dataUpdatedAt } = useSchedule();
  const choose = useChooseSchedule();
  const schedule = data?.connections.find((one) => one.connectionId === connectionId);
  if (!schedule) return null;
  const next = standing(schedule, dataUpdatedAt, words);
  return (
    <div className={styles.schedule}>
      <Select
        label={words.t("schedule.label")}
        data-testid="schedule-every"
        value={schedule.every}
        onChange={(event) => choose.mutate({ connectionId, every: event.target.value as Every })}
      >
        {EVERY.map((every) => (
          <option key={every} value={every}>
            {words.t(`schedule.every.${every}`)}
          </option>
        ))}
      </Select>
      {next ? (
        <p className={styles.help} data-testid="schedule-next">
          {next}
        </p>
      ) : null}
      {choose.error ? <ProblemNotice problem={choose.error} /> : null}
    </div>
  );
}

const SETTINGS: readonly { name: keyof ScheduleSettingsView; words: MessageId; help: MessageId }[] = [
  { name: "alsoOnBattery", words: "schedule.onBattery", help: "schedule.onBatteryHelp" },
  { name: "alsoOnMetered", words: "schedule.onMetered", help: "schedule.onMeteredHelp" },
  { name: "notifySignIn", words: "schedule.notifySignIn", help: "schedule.notifySignInHelp" },
  { name: "notifyNewRecords", words: "schedule.notifyNewRecords", help: "schedule.notifyNewRecordsHelp" },
];

/** What holds for all sources: battery, network, notifications. */
export function ScheduleSettings() {
  const { t } = useWords();
  const { data } = useSchedule();
  const set = useSetSchedule();
  if (!data || data.connections.length === 0) return null;
  return (
    <Disclosure title={t("schedule.settings")}>
      <div className={styles.settings}>
        {SETTINGS.map(({ name, words, help }) => (
          <label key={name} className={styles.setting}>
            <input
              type="checkbox"
              data-testid={`schedule-${name}`}
              checked={data.settings[name]}
              disabled={set.isPending}
              onChange={(event) => set.mutate({ ...data.settings, [name]: event.target.checked })}
            />
            <span>
              {t(words)}
              <span className={styles.help}>{t(help)}</span>
            </span>
          </label>
        ))}
        {set.error ? <ProblemNotice problem={set.error} /> : null}
      </div>
    </Disclosure>
  );
}
