/** Header fields of the form `value; name=parameter; …`, such as Content-Type and Content-Disposition. */

export interface ParameterizedField {
  /** In lower case. */
  value: string
  /** By name, in lower case. Of two parameters with one name the first counts. Values have no quotes around them. */
  parameters: ReadonlyMap<string, string>
}

/** A parameter: its name, and its value as a token or as a quoted string. The closing quote may be missing. */
const PARAMETER = /;[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:\\"|[^"])*)"?[^;]*|([^;]*))/g

/**
 * Reads a field with parameters as leniently as browsers write it. In a quoted string only `\"` and `\\` are escapes,
 * because old browsers send paths of Windows with single backslashes.
 */
export function parseParameters(field: string): ParameterizedField {
  const parameters = new Map<string, string>()
  for (const [, name, quoted, token] of field.matchAll(PARAMETER)) {
    const key = name!.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, quoted?.replace(/\\(["\\])/g, '$1') ?? token!.trim())
  }
  return { value: field.split(';', 1)[0]!.trim().toLowerCase(), parameters }
}

/** RFC 8187, 3.2.1: charset, language, which the server ignores, and percent-encoded bytes. */
const EXTENDED = /^([\w!#$%&+^`{}~-]+)'[^']*'((?:%[0-9a-f]{2}|[^%])*)$/i

/** The text of an extended parameter such as `filename*`; undefined when it is malformed or its charset is unknown. */
function parseExtended(value: string): string | undefined {
  const [, charset, encoded] = EXTENDED.exec(value) ?? []
  if (charset === undefined || encoded === undefined) return undefined
  const bytes = encoded.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return decode(bytes, charset)
}

/** Undefined when the bytes are not valid in this charset. */
function decode(binary: string, charset: string): string | undefined {
  try {
    return new TextDecoder(charset as 'utf-8', { fatal: true }).decode(Buffer.from(binary, 'latin1'))
  } catch {
    return undefined
  }
}

/**
 * Decodes bytes that a client sent as text without naming a charset.
 * @param binary one character per byte
 */
const guess = (binary: string): string => decode(binary, 'utf-8') ?? decode(binary, 'windows-1252') ?? binary

export interface Disposition {
  type: string
  name: string | undefined
  filename: string | undefined
}

/**
 * Reads a Content-Disposition. `filename*` wins over `filename` in any order (RFC 6266, 4.3), unless it is malformed.
 * @param field one character per byte
 */
export function parseDisposition(field: string): Disposition {
  const { value, parameters } = parseParameters(field)
  const [name, filename, extended] = ['name', 'filename', 'filename*'].map((key) => parameters.get(key))
  return {
    type: value,
    name: name === undefined ? undefined : guess(name),
    filename: (extended && parseExtended(extended)) || (filename === undefined ? undefined : guess(filename)),
  }
}
