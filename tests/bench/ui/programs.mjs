/** What is measured: release builds beside each other. */
import { join } from "node:path";
import { BUILD } from "../../ui/lib/places.mjs";

export const EMPTY = join(BUILD, "examples", "empty_window");
export const COMMAND_LINE = join(BUILD, "satchel");
