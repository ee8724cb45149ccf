import type { CategoryCounts } from '../../../core/categories/counts.ts'
import type { CategoryView, CategoryDetail as CoreDetail } from '../../../core/categories/read.ts'
import type { Category as CoreCategory } from '../../../core/categories/rows.ts'
import type { Category, CategoryDetail, CategoryList, CategoryNode } from './models.ts'

export const presentCategory = (category: CategoryView): Category => ({
  id: category.id,
  name: category.name,
  slug: category.slug,
  description: category.description,
  parent_id: category.parentId,
  level: category.level,
  path: category.path,
  cover_photo: category.cover && {
    id: category.cover.id,
    title: category.cover.title,
    thumb_url: category.cover.thumbUrl,
  },
  color: category.color ?? '',
  icon: category.icon ?? '',
  sort_order: category.sortOrder,
  is_active: category.isActive,
  is_featured: category.isFeatured,
  photo_count: category.photoCount,
  direct_photo_count: category.directPhotoCount,
  created_at: category.createdAt.toISOString(),
  updated_at: category.updatedAt.toISOString(),
})

const presentRef = ({ id, name, slug }: CoreCategory) => ({ id, name, slug })

const presentChild = (category: CoreCategory & CategoryCounts) => ({
  ...presentRef(category),
  photo_count: category.photoCount,
})

export const presentCategoryDetail = (category: CoreDetail): CategoryDetail => ({
  ...presentCategory(category),
  seo_title: category.seoTitle ?? '',
  seo_description: category.seoDescription ?? '',
  ancestors: category.ancestors.map(presentRef),
  children: category.children.map(presentChild),
})

/** The categories below the root, each with those below it, in the order of the list. */
export function presentTree(categories: CategoryView[]): CategoryNode[] {
  const nodes = new Map(
    categories.map((category) => [
      category.id,
      { ...presentChild(category), children: [] as CategoryNode[] },
    ]),
  )
  const roots: CategoryNode[] = []
  for (const { id, parentId } of categories) {
    const siblings = parentId === null ? roots : nodes.get(parentId)?.children
    siblings?.push(nodes.get(id)!)
  }
  return roots
}

export const presentStats = (categories: CategoryView[]): NonNullable<CategoryList['stats']> => ({
  total_categories: categories.length,
  max_level: categories.reduce((deepest, { level }) => Math.max(deepest, level), 0),
  featured_count: categories.filter(({ isFeatured }) => isFeatured).length,
})
