/** FHIR JSON as it comes: any shape, nothing taken for granted. */
import { parse } from "lossless-json";

export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json | undefined;
}

/** Numbers whose digits JavaScript would lose ("1.10") stay as they were written. */
function keepDigits(written: string): number | string {
  const value = Number(written);
  return String(value) === written ? value : written;
}

/** A record's JSON, or nothing when it is not an object. */
export function readResource(text: string): JsonObject | undefined {
  try {
    const value = parse(text, undefined, { parseNumber: keepDigits, onDuplicateKey: ({ newValue }) => newValue }) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An entry of a table by a name out of a record, which may be one that every object has ("constructor"). */
export function entryOf<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

export function isFilled(value: Json | undefined): value is Exclude<Json, null> {
  if (value === undefined || value === null || value === "") return false;
  if (Array.isArray(value)) return value.some(isFilled);
  return typeof value !== "object" || Object.values(value).some(isFilled);
}

export function list(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function objects(value: Json | undefined): JsonObject[] {
  return list(value).filter(isObject);
}

export function object(value: Json | undefined): JsonObject | undefined {
  return objects(value)[0];
}

// Bidirectional overrides and invisible characters: they can make text read as what it is not.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const UNSAFE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

export function clean(value: string): string {
  return value.replace(UNSAFE, "").trim();
}

/** A primitive as text; nothing for nothing. */
export function text(value: Json | undefined): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return undefined;
  return clean(value) || undefined;
}

export function texts(value: Json | undefined): string[] {
  return list(value).flatMap((item) => text(item) ?? []);
}

/** A decimal, as a number or with the digits that it was written with. */
export function decimal(value: Json | undefined): string | undefined {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  return typeof value === "string" && /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value.trim()) ? value.trim() : undefined;
}
