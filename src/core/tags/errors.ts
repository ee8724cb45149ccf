import { defineErrors } from '../errors/define.ts'

export const TAG_ERRORS = defineErrors({
  TAG_TAKEN: { kind: 'conflict', zh: '已有同名标签', en: 'A tag with this name exists already' },
  TAG_SLUG_TAKEN: { kind: 'conflict', zh: '已有标签使用该 slug', en: 'Another tag has this slug' },
})
