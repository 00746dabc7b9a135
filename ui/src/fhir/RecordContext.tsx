import { createContext, useContext } from "react";
import type { RecordKey, ReferenceView } from "../api/bindings";
import type { JsonObject } from "./json";

/** What surrounds a datatype: names for its references, and what the record contains itself. */
export interface RecordSurroundings {
  references: readonly ReferenceView[];
  contained: readonly JsonObject[];
  onOpen?: (key: RecordKey) => void;
}

const Surroundings = createContext<RecordSurroundings>({ references: [], contained: [] });

export const RecordSurroundingsProvider = Surroundings.Provider;

export function useSurroundings(): RecordSurroundings {
  return useContext(Surroundings);
}
