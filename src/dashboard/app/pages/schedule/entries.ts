import { useRef } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { api } from '../../lib/session.ts'
import { showError } from '../../lib/toasts.ts'
import { reload, useView, type View } from '../../lib/view.ts'
import { dayText } from './clock.ts'
import type { Span } from './moves.ts'

const PAGE_SIZE = 500

async function fetchPage(first: number, last: number, zone: string, page: number, signal: AbortSignal) {
  const query = {
    start_at: dayText(first),
    end_at: dayText(last),
    timezone: zone,
    limit: PAGE_SIZE,
    page,
  }
  const { data, error, headers } = await api().runtime['schedule-items'].get({ query, signal })
  if (error) throw error
  return { entries: data, more: headers.has('link') }
}

/** An item, or an occurrence of a recurring one. */
export type Entry = Awaited<ReturnType<typeof fetchPage>>['entries'][number]

async function fetchAll(first: number, last: number, zone: string, signal: AbortSignal): Promise<Entry[]> {
  const all: Entry[] = []
  for (let page = 1; ; page++) {
    const { entries, more } = await fetchPage(first, last, zone, page, signal)
    all.push(...entries)
    if (!more) return all
  }
}

export interface Entries extends View<Entry[]> {
  /** Shows an item at other times at once. The server gets the moves one after the other. */
  move(entry: Entry, to: Span): void
}

/** What is on the schedule from the first day to the last one, kept up to date. */
export function useEntries(first: number, last: number, zone: string): Entries {
  const moves = useRef<Promise<void>>(Promise.resolve())
  const view = useView({
    key: `${first} ${last}`,
    load: async (signal) => {
      // An answer of before a move that is on its way would put the item back for a moment.
      for (;;) {
        const known = moves.current
        await known
        const all = await fetchAll(first, last, zone, signal)
        if (moves.current === known) return all
      }
    },
    on: {
      'schedule.created': reload,
      'schedule.updated': reload,
      'schedule.deleted': ({ data }, entries) => entries.filter(({ id }) => id !== data.item_id),
    },
  })
  const send = async (entry: Entry, to: Span) => {
    try {
      await change(entry.id, to)
    } catch (error) {
      showError(error)
      void view.reload()
    }
  }
  return Object.assign(view, {
    move(entry: Entry, to: Span) {
      view.update((all) => all.map((one) => (one.id === entry.id ? { ...one, ...to } : one)))
      moves.current = moves.current.then(() => send(entry, to))
    },
  })
}

/** The same for an entry as long as it stays what it is. An occurrence is known by its start. */
export const keyOf = ({ id, rrule }: Entry, start: string): string => (rrule === null ? id : `${id} ${start}`)

export type Change = Parameters<ReturnType<ReturnType<typeof api>['runtime']['schedule-items']>['patch']>[0]
type NewItem = Parameters<ReturnType<typeof api>['runtime']['schedule-items']['post']>[0]

export const create = (item: NewItem) => dataOf(api().runtime['schedule-items'].post(item))

export const change = (id: string, fields: Change) =>
  dataOf(api().runtime['schedule-items']({ id }).patch(fields))

export const remove = (id: string) => dataOf(api().runtime['schedule-items']({ id }).delete())

/** Takes an occurrence out of its series. Others may have been taken out since the entry was fetched. */
export async function leaveOut({ id, start_at }: Entry): Promise<void> {
  const { exceptions } = await dataOf(api().runtime['schedule-items']({ id }).get())
  await change(id, { exceptions: [...exceptions, start_at] })
}

/** Makes an item of its own of one occurrence. It is made first, so that nothing is lost when the second request fails. */
export async function takeOut(
  entry: Entry,
  { status, ...fields }: NewItem & { status: Entry['status'] },
): Promise<void> {
  const own = await create(fields)
  try {
    if (status !== 'active') await change(own.id, { status })
    await leaveOut(entry)
  } catch (error) {
    await remove(own.id)
    throw error
  }
}

/** What an item that is made of an occurrence has of its series. */
export const ownFields = ({ title, description, timezone, metadata, reminder_minutes }: Entry) => ({
  title,
  description,
  timezone,
  metadata: metadata as Record<string, unknown>,
  reminder_minutes,
})
