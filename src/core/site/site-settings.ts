/** Changes of the site's settings: docs/contracts/portfolio.md, "Settings". */
import { type AuditedBy, audit } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { followWatermark } from '../photo-files/watermark-runs.ts'
import {
  fieldsOf,
  readSite,
  type SiteCategory,
  type SiteChange,
  type SiteSettings,
  tidied,
  withChange,
  withoutCategories,
} from '../system/site-definitions.ts'
import type { Stored } from '../system/stored-settings.ts'

/** Says whether the settings may be changed from this revision. */
type Expected = ((revision: string) => boolean) | undefined

/** Settings with the same values have the same revision, on every server. A reader cannot compute it. */
export const revisionOf = (ctx: Context, settings: SiteSettings): string =>
  ctx.keyedHash('site-settings', JSON.stringify(settings)).slice(0, 22)

/**
 * Of two changes of one setting the later one wins; of different settings both are kept. Every server acts by the change when
 * this returns.
 * @throws AppError SETTINGS_CHANGED
 */
export const changeSiteSettings = (
  ctx: Context,
  by: AuditedBy,
  change: SiteChange,
  expected?: Expected,
): Promise<SiteSettings> =>
  write(ctx, expected, (tx, stored) => {
    audit(tx, by, { action: 'settings.updated', details: { fields: fieldsOf(change) } })
    return withChange(stored, tidied(change))
  })

/** Gives all settings of these categories their defaults. @throws AppError SETTINGS_CHANGED */
export const resetSiteSettings = (
  ctx: Context,
  by: AuditedBy,
  categories: readonly SiteCategory[],
  expected?: Expected,
): Promise<SiteSettings> =>
  write(ctx, expected, (tx, stored) => {
    audit(tx, by, { action: 'settings.reset', details: { categories: [...categories] } })
    return withoutCategories(stored, categories)
  })

const write = (
  ctx: Context,
  expected: Expected,
  change: (tx: Tx, stored: Stored) => Stored,
): Promise<SiteSettings> =>
  ctx.services.settings.site.change(ctx, async (tx, stored) => {
    const before = readSite(stored)
    if (expected && !expected(revisionOf(ctx, before))) throw new AppError('SETTINGS_CHANGED')
    const next = change(tx, stored)
    await followWatermark(tx, before, readSite(next))
    return next
  })
