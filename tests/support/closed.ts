/** The same schemas without room for fields that they do not name, unless a schema says that there is some. */
export function closed<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(closed) as T
  const parts = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, closed(part)]))
  const isObject = parts.type === 'object' && typeof parts.properties === 'object'
  return (isObject ? { additionalProperties: false, ...parts } : parts) as T
}
