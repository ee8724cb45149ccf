import type { Permission } from '../../src/core/accounts/permissions.ts'
import { AUTH, NODE_AUTH } from '../../src/http/openapi/route.ts'
import { type Answer, type Ask, api } from './api.ts'
import { hollowApp } from './hollow.ts'
import { routeOf } from './openapi.ts'
import type { TestServer } from './server.ts'

export interface MountedRoute {
  method: string
  /** With `:name` for parameters. */
  path: string
  detail: {
    hide?: boolean
    summary?: string
    tags?: string[]
  }
  /** What the guard asks of a user; undefined when the route has no `auth`. */
  auth: true | Permission | undefined
  /** The permission of the users that may call a route of a node. */
  nodeAuth: Permission | undefined
  hooks: Record<string, unknown>
}

/** Every route of the server, as the app has mounted it. */
export function mountedRoutes(): MountedRoute[] {
  return hollowApp().routes.map(({ method, path, hooks }) => ({
    method,
    path,
    hooks,
    detail: hooks.detail ?? {},
    auth: hooks.detail?.[AUTH],
    nodeAuth: hooks.detail?.[NODE_AUTH],
  }))
}

/** The address of a route with `id` in place of every parameter. */
export const fill = (path: string, id: string): string => path.replace(/:\w+/g, id)

export const pattern = (path: string) => new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`)

/**
 * `api`, only for routes of the OpenAPI document. `api` compares their answers with the document, and accepts any answer of
 * another route.
 */
export const describedApi =
  (server: TestServer) =>
  (method: string, path: string, ask: Ask = {}): Promise<Answer> => {
    if (!routeOf(method, path)) throw new Error(`no route ${method} ${path}`)
    return api(server, method, path, ask)
  }
