import type { CategoryEvents } from '../../core/categories/events.ts'
import type { EventPresenters } from './presenters.ts'

const presentCategory = (category: CategoryEvents['category.created']) => ({
  category_id: category.categoryId,
  name: category.name,
  slug: category.slug,
  parent_id: category.parentId,
  is_active: category.isActive,
})

export const categoryEvents: EventPresenters<CategoryEvents> = {
  'category.created': presentCategory,
  'category.updated': presentCategory,
  'category.deleted': ({ categoryId }) => ({ category_id: categoryId }),
}
