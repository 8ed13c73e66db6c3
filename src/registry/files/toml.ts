import { parse, TomlError } from 'smol-toml';

import { PinError } from '../../errors.ts';
import { isJsonObject, type JsonObject } from '../../json.ts';

/**
 * Reads TOML that an operator wrote. Throws `invalid_config`, as the functions below do, with a
 * message to which the caller adds the file. It quotes nothing: headers may hold passwords.
 */
export function parseToml(text: string): JsonObject {
  try {
    return parse(text);
  } catch (caught) {
    if (!(caught instanceof TomlError)) throw caught;
    throw invalid(`line ${caught.line}, column ${caught.column} is no TOML`);
  }
}

export function invalid(message: string): PinError {
  return new PinError('invalid_config', message);
}

export function textIn(table: JsonObject, field: string): string | undefined {
  const value = table[field];
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(`"${field}" is no text`);
}

export function flagIn(table: JsonObject, field: string): boolean | undefined {
  const value = table[field];
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(`"${field}" is neither true nor false`);
}

/** None where the field is absent. */
export function listIn(table: JsonObject, field: string): readonly unknown[] {
  const value = table[field] ?? [];
  if (Array.isArray(value)) return value;
  throw invalid(`"${field}" is no list`);
}

/** A text of a list or a field that holds texts only. */
export function textFrom(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw invalid(`"${field}" holds what is no text`);
}

export function tableFrom(value: unknown, field: string): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalid(`"${field}" is no table`);
}
