/** `settings:watermark`: how far the photos have followed the last change of the watermark, for who may read the settings. */
import { may } from '../../core/accounts/permissions.ts'
import { notFound } from '../../core/errors.ts'
import { readRun, WATERMARK_TOPIC, type WatermarkRun } from '../../core/photo-files/watermark-runs.ts'
import { TOPIC_PATTERNS, type WatermarkUpdateData } from '../../protocol/live/topics.ts'
import { type ReadCurrent, sharedText, type TopicKind } from './topic.ts'

export function presentWatermark({ status, total, done, failed }: WatermarkRun): WatermarkUpdateData {
  const percent = status === 'running' ? Math.floor((100 * done) / (total || Number.POSITIVE_INFINITY)) : 100
  return { status, total: total ?? 0, done, failed, percent }
}

const readCurrent: ReadCurrent = async (ctx) => new Map([[WATERMARK_TOPIC, await readRun(ctx)]])
const textOf = sharedText(presentWatermark)

export const watermarkKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.watermark),
  async open({ who, name }) {
    if (!may(who.role, 'settings.read')) throw notFound('topic', name)
    return {
      name,
      key: WATERMARK_TOPIC,
      permits: ({ role }) => may(role, 'settings.read'),
      readCurrent,
      render: (value) => `{"type":"watermark_update","key":"settings:watermark","data":${textOf(value)}}`,
    }
  },
}
