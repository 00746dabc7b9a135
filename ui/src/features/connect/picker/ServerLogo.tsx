import { useServerLogo } from "../../../api/queries";
import { Icon } from "../../../components/Icon";
import styles from "./picker.module.css";

interface ServerLogoProps {
  base: string;
  /** Whether to ask for it: a picture is fetched when it is first shown. */
  wanted: boolean;
}

/** The logo of a server, only ever as an <img>, where no script runs; a drawing until there is one. */
export function ServerLogo({ base, wanted }: ServerLogoProps) {
  const logo = useServerLogo(base, wanted).data;
  return <span className={styles.logo}>{logo ? <img src={logo} alt="" data-testid="server-logo" /> : <Icon name="server" />}</span>;
}
