import type { Context } from '../../../core/context.ts'
import { systemFigures } from '../../../core/statistics/system.ts'
import { updateSystemConfig } from '../../../core/system/settings.ts'
import { type Body, chapter, type SignedCall } from '../../../http/chapter.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import { readConfigChange } from './input.ts'
import { CONFIG_CHANGE, ConfigChange, SystemConfig, SystemStats } from './models.ts'
import { presentConfig, presentStats } from './presenters.ts'

const { routes, route } = chapter(factory, 'administration')

export const administrationRoutes = (ctx: Context) =>
  routes(ctx, '/admin')
    .get(
      '/stats',
      showStats,
      route({
        auth: 'stats.read',
        summary: 'Count users, tasks and GPU servers, and sum up what users have paid (administrators)',
        response: Envelope(SystemStats),
      }),
    )
    .get(
      '/config',
      showConfig,
      route({
        auth: 'settings.read',
        summary: 'Show the system configuration (administrators)',
        response: Envelope(SystemConfig),
      }),
    )
    .put(
      '/config',
      changeConfig,
      route({
        auth: 'settings.update',
        summary: 'Change the system configuration; it acts on every server at once (administrators)',
        body: ConfigChange,
        example: CONFIG_CHANGE,
        response: Envelope(SystemConfig),
      }),
    )

async function showStats({ ctx, request }: SignedCall) {
  return envelope(request, presentStats(await systemFigures(ctx)))
}

async function showConfig({ ctx, request }: SignedCall) {
  return envelope(request, presentConfig(await ctx.services.settings.system.shown(ctx)))
}

async function changeConfig({ ctx, principal, body, request }: SignedCall & Body<typeof ConfigChange>) {
  return envelope(request, presentConfig(await updateSystemConfig(ctx, principal, readConfigChange(body))))
}
