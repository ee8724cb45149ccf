import { dataOf, type Rest } from '../../../../client/index.ts'
import { api } from '../../lib/session.ts'

type Listed = NonNullable<Awaited<ReturnType<Rest['factory']['gpu']['servers']['get']>>['data']>
export type Server = Listed['data'][number]

/** The online ones first. */
export async function listServers(signal: AbortSignal): Promise<Server[]> {
  const { data } = await dataOf(api().factory.gpu.servers.get({ signal }))
  return data.toSorted((a, b) => Number(a.status === 'offline') - Number(b.status === 'offline'))
}
