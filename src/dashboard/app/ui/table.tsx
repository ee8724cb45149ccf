import type { ComponentChildren } from 'preact'
import { Empty } from './parts.tsx'

export interface Column<T> {
  title: string
  cell: (row: T) => ComponentChildren
  /** Right-aligned, with digits of one width. */
  number?: boolean
}

/** A table that scrolls sideways on a narrow screen. `caption` tells screen readers what it lists; without rows `none` is shown. */
export const Table = <T,>({
  caption,
  none,
  columns,
  rows,
  keyOf,
}: {
  caption: string
  none?: string
  columns: readonly Column<T>[]
  rows: readonly T[]
  keyOf: (row: T) => string | number
}) =>
  none !== undefined && rows.length === 0 ? (
    <Empty text={none} />
  ) : (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls the table sideways
    <section class="table-wrap" tabIndex={0} aria-label={caption}>
      <table>
        <caption class="hidden-text">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, number }) => (
              <th key={title} scope="col" class={number ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, cell, number }) => (
                <td key={title} class={number ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
