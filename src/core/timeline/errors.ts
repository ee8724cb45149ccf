import { defineErrors } from '../errors/define.ts'

export const TIMELINE_ERRORS = defineErrors({
  TOO_MANY_EVENTS: {
    kind: 'invalid_state',
    zh: '时间线事件已达上限 {limit} 个，请先删除一个',
    en: 'There are {limit} events, which is the limit; delete one first',
  },
  UNKNOWN_PHOTOS: {
    kind: 'invalid',
    zh: '这些照片不存在：{photos}',
    en: 'These photos do not exist: {photos}',
  },
})
