/** Fields that a client may leave out. */
import { hollowApp } from '../../tests/support/hollow.ts'

interface Model {
  properties?: Record<string, { default?: unknown }>
  required?: string[]
}

const MODELS = ['body', 'query'] as const

/**
 * A type such as `{"/tasks": {get: {query: "page"}}}`, with an entry for each model that requires a field and has a default for
 * it. The type of the server's handlers does not say which fields these are, because handlers always have them.
 */
export function defaultsType(): string {
  const lines = hollowApp().routes.flatMap(({ method, path, hooks }) =>
    MODELS.flatMap((name) => {
      const { properties = {}, required = [] } = (hooks[name] ?? {}) as Model
      const fields = required.filter((field) => properties[field]?.default !== undefined)
      if (fields.length === 0) return []
      const key = JSON.stringify(`${path}/${method.toLowerCase()}/${name}`)
      return [`${key}: ${fields.map((field) => JSON.stringify(field)).join(' | ')}`]
    }),
  )
  return `{ ${lines.join('; ')} }`
}
