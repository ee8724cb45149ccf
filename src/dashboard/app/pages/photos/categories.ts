import { dataOf } from '../../../../client/index.ts'
import { api } from '../../lib/session.ts'

const load = () => dataOf(api().portfolio.categories.get({ query: { include_tree: true } }))
export type CategoryList = Awaited<ReturnType<typeof load>>['data']
export type Category = CategoryList['categories'][number]
export type CategoryNode = NonNullable<CategoryList['tree']>[number]

export const loadCategories = async (): Promise<CategoryList> => (await load()).data

/** Categories as the options of a select, indented by their level. */
export const categoryOptions = ({ categories, tree = [] }: CategoryList): [value: string, text: string][] => {
  const levels = new Map(categories.map(({ id, level }) => [id, level]))
  const flat = (nodes: readonly CategoryNode[]): [string, string][] =>
    nodes.flatMap(({ id, name, children }) => [
      [String(id), `${'\u2003'.repeat(levels.get(id) ?? 0)}${name}`],
      ...flat(children),
    ])
  return flat(tree)
}
