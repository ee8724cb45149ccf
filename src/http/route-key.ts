/** A route by its method and path, in a map. Elysia answers HEAD with the route of GET. */
export const routeKey = (method: string, path: string): string =>
  `${method === 'HEAD' ? 'GET' : method} ${path}`
