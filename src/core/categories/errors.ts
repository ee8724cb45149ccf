import { defineErrors } from '../errors/define.ts'

export const CATEGORY_ERRORS = defineErrors({
  UNKNOWN_CATEGORY: { kind: 'invalid', zh: '分类 {category} 不存在', en: 'There is no category {category}' },
  CATEGORY_HAS_CHILDREN: {
    kind: 'conflict',
    zh: '该分类还有下级分类，请先移动或删除它们',
    en: 'The category has categories below it; move or delete them first',
  },
})
