import { createContext, useContext, type ReactNode } from "react";
import type { Json } from "./json";

export interface ValueProps {
  name: string;
  value: Json;
  depth: number;
}

/** Datatypes hold datatypes: what shows any value is handed down, so that no file needs the one above it. */
const Shown = createContext<(props: ValueProps) => ReactNode>(() => null);

export const NestedValueProvider = Shown.Provider;

export function NestedValue(props: ValueProps) {
  return useContext(Shown)(props);
}
