import type { Category } from './rows.ts'

interface CategorySummary {
  categoryId: number
  name: string
  slug: string
  parentId: number | null
  isActive: boolean
}

export interface CategoryEvents {
  'category.created': CategorySummary
  'category.updated': CategorySummary
  'category.deleted': { categoryId: number }
}

export const categoryEvent = ({ id, name, slug, parentId, isActive }: Category): CategorySummary => ({
  categoryId: id,
  name,
  slug,
  parentId,
  isActive,
})
