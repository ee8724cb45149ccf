import { defineErrors } from '../errors/define.ts'

export const CATEGORY_ERRORS = defineErrors({
  UNKNOWN_CATEGORY: { kind: 'invalid', zh: '分类 {category} 不存在', en: 'There is no category {category}' },
  CATEGORY_HAS_CHILDREN: {
    kind: 'conflict',
    zh: '该分类还有下级分类，请先移动或删除它们',
    en: 'The category has categories below it; move or delete them first',
  },
  CATEGORY_SLUG_TAKEN: {
    kind: 'conflict',
    zh: '已有分类使用 slug {slug}',
    en: 'Another category has the slug {slug}',
  },
  CATEGORY_CYCLE: {
    kind: 'invalid',
    zh: '分类不能移动到自身或其下级分类之下',
    en: 'A category cannot be moved below itself or below one of its own subcategories',
  },
  CATEGORY_TOO_DEEP: {
    kind: 'invalid',
    zh: '分类最多 {limit} 级',
    en: 'The tree of categories may have at most {limit} {limit|level|levels}',
  },
  TOO_MANY_CATEGORIES: {
    kind: 'invalid_state',
    zh: '分类已达上限 {limit} 个，请先删除不用的分类',
    en: 'There are {limit} categories, which is the limit; delete one first',
  },
})
