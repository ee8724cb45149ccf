import type { Actor } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import type { CachedDomain } from '../generations/generations.ts'
import { transaction } from '../transaction.ts'

/**
 * Forgets the cached answers of these kinds of data on all servers: the generations rise, so nobody finds an older answer. What
 * this server and Redis hold of them is removed; the memory of another server frees it within minutes.
 */
export async function clearCache(ctx: Context, by: Actor, domains: readonly CachedDomain[]): Promise<void> {
  await transaction(ctx, async (tx) => {
    tx.changed(...domains)
    audit(tx, by, { action: 'cache.cleared', details: { types: [...domains] } })
  })
  await ctx.cache.clear(domains)
}
