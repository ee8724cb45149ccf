import { count } from '../../lib/format.ts'
import { listHref } from './filter.ts'

/** Leads to the photos with a tag. */
export const TagChip = ({ name, usage_count }: { name: string; usage_count: number }) => (
  <a class="chip" href={listHref({ tag: name })}>
    #{name} <span class="muted number">{count(usage_count)}</span>
  </a>
)
