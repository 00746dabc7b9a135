import type { ButtonHTMLAttributes, Ref } from "react";
import styles from "./Button.module.css";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "secondary" | "quiet" | "danger";
  size?: "medium" | "small";
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

/** A button; while it is busy it keeps its place and says so. */
export function Button({ kind = "secondary", size = "medium", busy = false, className, disabled, ...rest }: ButtonProps) {
  const names = [styles.button, styles[kind], size === "small" ? styles.small : "", className].filter(Boolean).join(" ");
  return <button type="button" className={names} disabled={disabled === true || busy} aria-busy={busy || undefined} {...rest} />;
}
