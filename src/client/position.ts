import type { Core } from './core.ts'
import type { Http } from './http.ts'

/** Where the client begins: where it has stopped before, or at the present, which the server names before anything is fetched. */
export const firstPosition = async (core: Core, http: Http): Promise<string> =>
  (await core.saver.load()) ?? (await http.json('/api/ws/ticket', { method: 'POST' })).data.cursor
