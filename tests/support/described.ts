import { expect } from 'bun:test'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { type Answer, type Ask, api } from './api.ts'
import { hollowApp } from './hollow.ts'
import type { TestServer } from './server.ts'

export interface MountedRoute {
  method: string
  /** With `:name` for parameters. */
  path: string
  detail: {
    hide?: boolean
    summary?: string
    tags?: string[]
    responses?: Record<string, { content?: Record<string, { schema: TSchema }> }>
  }
  hooks: Record<string, unknown>
}

/** Every route of the server, as the app has mounted it. */
export function mountedRoutes(): MountedRoute[] {
  return hollowApp().routes.map(({ method, path, hooks }) => ({
    method,
    path,
    hooks,
    detail: hooks.detail ?? {},
  }))
}

/** The address of a route with `id` in place of every parameter. */
export const fill = (path: string, id: string): string => path.replace(/:\w+/g, id)

const pattern = (path: string) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)

/**
 * `api`, but every answer is held against the description of its route in the code: its status is one of those that
 * the route documents, and its body has the model of that status.
 */
export function describedApi(server: TestServer) {
  const routes = mountedRoutes().map((route) => ({ ...route, pattern: pattern(route.path) }))
  return async (method: string, path: string, ask: Ask = {}): Promise<Answer> => {
    const answer = await api(server, method, path, ask)
    const [pathname] = path.split('?')
    const route = routes.find((route) => route.method === method && route.pattern.test(pathname!))
    if (!route) throw new Error(`no route ${method} ${pathname}`)
    const described = route.detail.responses?.[answer.status]
    expect(
      described,
      `${method} ${path} answers ${answer.status}, undocumented: ${answer.text}`,
    ).toBeDefined()
    const schema = Object.values(described?.content ?? {})[0]?.schema
    if (schema) {
      const errors = [...Value.Errors(schema, answer.body)].map((e) => `${e.path}: ${e.message}`)
      expect(errors, `${method} ${path} does not fit its model`).toEqual([])
    }
    return answer
  }
}
