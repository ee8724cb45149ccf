import type { WatermarkRun as CoreRun } from '../../../core/photo-files/watermark-runs.ts'
import { definitionsOf, type SiteCategory, type SiteSettings } from '../../../core/system/site-definitions.ts'
import { presentWatermark } from '../../../live/topics/watermark.ts'
import { snakeCase } from '../../../util/case.ts'
import type { Settings, WatermarkRun } from './models.ts'

/** The settings of these categories, with every name of the table and no other. */
export const presentSettings = (settings: SiteSettings, categories: readonly SiteCategory[]): Settings =>
  Object.fromEntries(
    categories.map((category) => {
      const values: Record<string, unknown> = settings[category]
      return [
        category,
        Object.fromEntries(definitionsOf(category).map(([name]) => [snakeCase(name), values[name]])),
      ]
    }),
  )

export const presentRun = (run: CoreRun): typeof WatermarkRun.static => ({
  ...presentWatermark(run),
  started_at: run.started,
})
