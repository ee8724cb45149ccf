import type { Context, Tx } from '../context.ts'
import type { SiteSettings } from './site-definitions.ts'

export type { SiteSettings } from './site-definitions.ts'

/** The settings of the site, usually from memory: docs/contracts/portfolio.md, "Settings". */
export const siteSettings = (ctx: Context | Tx): Promise<SiteSettings> =>
  ctx.services.settings.site.current(ctx)
