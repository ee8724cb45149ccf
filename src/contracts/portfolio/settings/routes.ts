import { may, permissionDenied } from '../../../core/accounts/permissions.ts'
import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import { readRun } from '../../../core/photo-files/watermark-runs.ts'
import { changeSiteSettings, resetSiteSettings, revisionOf } from '../../../core/site/site-settings.ts'
import {
  PUBLIC_CATEGORIES,
  SITE_CATEGORIES,
  type SiteCategory,
  type SiteSettings,
} from '../../../core/system/site-definitions.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import { type Body, type Call, chapter, type Query, type SignedCall } from '../../../http/chapter.ts'
import { languageOf } from '../../../http/language.ts'
import { sha256 } from '../../../util/secrets.ts'
import { expectedRevision, forThisReader, isKnown } from '../conditional.ts'
import { Envelope, envelope, portfolio } from '../contract.ts'
import { readChange } from './input.ts'
import { Settings, SettingsChange, SettingsQuery, SettingsReset, WatermarkRun } from './models.ts'
import { presentRun, presentSettings } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'settings', { limit: 'admin' })

export const settingsRoutes = (ctx: Context) =>
  routes(ctx, '/settings')
    .get(
      '',
      show,
      route({
        summary: 'Show the settings that you may read; everybody may read general and display',
        id: 'getSettings',
        // Every page of a site reads them.
        limit: 'general',
        access: ['anyone', 'user'],
        query: SettingsQuery,
        response: Envelope(Settings),
        errors: ['PERMISSION_DENIED'],
        etag: true,
      }),
    )
    .put(
      '',
      change,
      route({
        auth: 'settings.update',
        summary: 'Change settings, which act at once; with If-Match only those that you have read',
        id: 'updateSettings',
        requestHeaders: { 'If-Match': 'optional' },
        body: SettingsChange,
        example: {
          site_title: '我的摄影作品集',
          upload_max_file_size: 104857600,
          display_photos_per_page: 24,
        },
        response: Envelope(Settings),
        etag: true,
        errors: ['SETTINGS_CHANGED', 'SETTING_NAMED_TWICE'],
      }),
    )
    .post(
      '/reset',
      reset,
      route({
        auth: 'settings.update',
        summary: 'Give all settings of some categories their defaults',
        id: 'resetSettings',
        requestHeaders: { 'If-Match': 'optional' },
        body: SettingsReset,
        example: { categories: ['upload', 'image'], confirm: true },
        response: Envelope(Settings),
        etag: true,
        errors: ['SETTINGS_CHANGED'],
      }),
    )
    .get(
      '/watermark',
      showRun,
      route({
        auth: 'settings.read',
        summary: 'Show how far the photos have followed the last change of the watermark',
        id: 'getWatermarkRun',
        response: Envelope(WatermarkRun),
      }),
    )

async function show({ ctx, query, request, set }: Call & Query<typeof SettingsQuery>) {
  const reader = await optionalPrincipal(ctx, request)
  const readable = reader && may(reader.role, 'settings.read') ? SITE_CATEGORIES : PUBLIC_CATEGORIES
  const { category } = query
  if (category !== 'all' && !readable.includes(category))
    throw reader ? permissionDenied('settings.read', reader.role) : new AppError('AUTHENTICATION_REQUIRED')
  const isAsked = (one: SiteCategory) =>
    category === 'all' ? query.include_public || !PUBLIC_CATEGORIES.includes(one) : one === category
  const shown = withTag(
    { ctx, request, set },
    await ctx.services.settings.site.shown(ctx),
    readable.filter(isAsked),
  )
  if (isKnown(request, String(set.headers.etag))) return new Response(null, { status: 304 })
  return envelope(request, shown)
}

async function change({ ctx, principal, body, request, set }: SignedCall & Body<typeof SettingsChange>) {
  const settings = await changeSiteSettings(ctx, principal, readChange(body), expectedSettings(request))
  return envelope(request, withTag({ ctx, request, set }, settings, SITE_CATEGORIES))
}

async function reset({ ctx, principal, body, request, set }: SignedCall & Body<typeof SettingsReset>) {
  const { categories } = body
  const named = SITE_CATEGORIES.filter((one) => categories.includes('all') || categories.includes(one))
  const settings = await resetSiteSettings(ctx, principal, named, expectedSettings(request))
  return envelope(request, withTag({ ctx, request, set }, settings, SITE_CATEGORIES))
}

async function showRun({ ctx, request }: SignedCall) {
  return envelope(request, presentRun(await readRun(ctx)))
}

/** The settings of these categories. The answer gets its ETag: the revision of all settings, and a hash of what is shown. */
function withTag(
  { ctx, request, set }: Pick<Call, 'ctx' | 'request' | 'set'>,
  settings: SiteSettings,
  categories: readonly SiteCategory[],
): Settings {
  const shown = presentSettings(settings, categories)
  const hash = sha256(JSON.stringify([languageOf(request, portfolio.language), shown])).slice(0, 32)
  set.headers.etag = `"${revisionOf(ctx, settings)}-${hash}"`
  forThisReader(set)
  return shown
}

/** Undefined when the client names no revision. */
const expectedSettings = (request: Request) => expectedRevision(request, /^"([\w-]{22})-[\w-]+"$/)
