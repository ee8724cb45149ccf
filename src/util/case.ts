/** Names of fields: camelCase in the code, snake_case on the wire and in stored JSON. */
export const snakeCase = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const renamed = <V>(object: Record<string, V>, rename: (name: string) => string): Record<string, V> =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [rename(name), value]))

/** A copy with its own keys in snake_case; values stay as they are. */
export const snakeKeys = <V>(object: Record<string, V>): Record<string, V> => renamed(object, snakeCase)
/** A copy with its own keys in camelCase; values stay as they are. */
export const camelKeys = <V>(object: Record<string, V>): Record<string, V> => renamed(object, camelCase)
