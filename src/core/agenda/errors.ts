import { defineErrors, defineTexts } from '../errors/define.ts'

export const AGENDA_ERRORS = defineErrors({
  INVALID_RANGE: {
    kind: 'invalid',
    zh: '结束时间不能早于开始时间',
    en: 'The end must not be before the start',
  },
})

export const AGENDA_RULES = defineTexts({
  timezone: {
    zh: '应为 IANA 时区名，例如 Asia/Shanghai',
    en: 'must be an IANA time zone such as Europe/Berlin',
  },
  recurrence: {
    zh: '应为有效的 RRULE（RFC 5545），例如 FREQ=WEEKLY;BYDAY=MO',
    en: 'must be a recurrence rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=MO',
  },
  recurrence_start: {
    zh: '开始时间应与重复规则的第一次日程一致',
    en: 'must have start_at as its first occurrence',
  },
  window_cost: {
    zh: '范围内的重复日程过多，请缩小时间范围',
    en: 'covers too many recurring items; ask for a shorter time range',
  },
  attachment: {
    zh: '只能引用自己上传的或公开的文件',
    en: 'may contain only files that you have uploaded or that everybody can see',
  },
})
