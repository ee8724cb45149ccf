/** JSON whose whole numbers stay exact at any size: docs/protocol.md, "Numbers". */

/** Not in TypeScript's library yet. */
interface SourceAccess {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context?: { source?: string }) => unknown,
  ): unknown
  /** Absent in older browsers, which round. */
  rawJSON?: (text: string) => unknown
}

const json = JSON as unknown as SourceAccess

/** `JSON.stringify` writes the numbers of the result as they were. */
export const parseExact = (text: string): unknown =>
  json.parse(text, (_, value, context) =>
    Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source !== undefined && json.rawJSON
      ? json.rawJSON(context.source)
      : value,
  )

export const isEmptyObject = (value: object): boolean => Object.keys(value).length === 0
