import { useScopePresets } from "../../api/queries";
import { AsGiven } from "../../components/AsGiven";
import { Disclosure } from "../../components/Disclosure";
import { ProblemNotice } from "../../components/ProblemNotice";
import { Waiting } from "../../components/Waiting";
import { useWords } from "../../i18n";
import type { Role } from "../../api/bindings";
import styles from "./connect.module.css";

interface HowMuchProps {
  base: string;
  role: Role;
  chosen: string | undefined;
  onChoose: (preset: string) => void;
}

function Choices({ base, role, chosen, onChoose }: HowMuchProps) {
  const { t, find } = useWords();
  const presets = useScopePresets(base, role);
  if (presets.error) return <ProblemNotice problem={presets.error} />;
  if (!presets.data) return <Waiting label={t("howMuch.waiting")} />;
  const first = presets.data[0]?.id;
  return (
    <fieldset className={styles.choices}>
      <legend className={styles.help}>{t("howMuch.intro")}</legend>
      {presets.data.map((preset) => (
        <div key={preset.id}>
          <label className={styles.choice}>
            <input
              type="radio"
              name={`how-much-${base}`}
              data-testid={`preset-${preset.id}`}
              checked={preset.id === (chosen ?? first)}
              onChange={() => onChoose(preset.id)}
            />
            <span>
              {find(`preset.${preset.id}`) ?? preset.title}
              <span className={styles.roleHelp}>{find(`preset.${preset.id}.help`) ?? preset.help}</span>
            </span>
          </label>
          <Disclosure title={t("howMuch.exact")}>
            <ul className={styles.exact}>
              {preset.scopes.map((scope) => (
                <li key={scope}>
                  <AsGiven>{scope}</AsGiven>
                </li>
              ))}
            </ul>
          </Disclosure>
        </div>
      ))}
    </fieldset>
  );
}

/** How much to ask a server for; everything, unless somebody looks here. */
export function HowMuch(props: HowMuchProps) {
  const { t } = useWords();
  return (
    <Disclosure title={t("howMuch.title")}>
      <Choices {...props} />
    </Disclosure>
  );
}
