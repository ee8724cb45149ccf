/** What a component shows of the server: fetched once, then kept up to date by the live channel. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { EventType, LiveEvent, TopicState, WatchOptions } from '../../../client/index.ts'
import { language } from './language.ts'
import { live } from './session.ts'

/** A handler returns this when an event says that something has changed, but not all of what the view shows. */
export const RELOAD = Symbol('reload')
/** A handler for events that say nothing more. */
export const reload = (): typeof RELOAD => RELOAD

/** Events come in bursts; one fetch answers for all of a burst. */
const RELOAD_AFTER_MS = 150
/** While one burst follows the other, a view fetches no more often. */
const RELOAD_EVERY_MS = 1000

interface Options<T> {
  load: (signal: AbortSignal) => Promise<T>
  /** Another key fetches anew, and the older data stays until the new is there. */
  key?: string | number | undefined
  /** Applies an event to the data. An event may come although the data shows it already. */
  on?: { [E in EventType]?: (event: LiveEvent<E>, data: T) => T | typeof RELOAD }
}

export interface View<T> {
  readonly data: T | undefined
  readonly error: unknown
  /** The data is being fetched. */
  readonly loading: boolean
  reload(): Promise<void>
  /** Changes the data at once, such as after a request whose answer has the new state. */
  update(change: (data: T) => T): void
}

export function useView<T>(options: Options<T>): View<T> {
  const data = useSignal<T | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const loading = useSignal(true)
  const latest = useRef(options)
  latest.current = options
  const reload = useRef<() => Promise<void>>(async () => {})

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let nextAt = 0
    const load = async (signal: AbortSignal) => {
      loading.value = true
      try {
        const next = await latest.current.load(signal)
        if (signal.aborted) return
        data.value = next
        error.value = undefined
      } finally {
        if (!signal.aborted) loading.value = false
      }
    }
    const types = Object.keys(options.on ?? {}) as EventType[]
    const apply = (event: LiveEvent) => {
      const handler = latest.current.on?.[event.type] as
        | ((event: LiveEvent, data: T) => T | typeof RELOAD)
        | undefined
      if (!handler || data.value === undefined) return
      const next = handler(event, data.value)
      if (next !== RELOAD) {
        data.value = next
        return
      }
      timer ??= setTimeout(
        () => {
          timer = undefined
          nextAt = performance.now() + RELOAD_EVERY_MS
          void view.reload()
        },
        Math.max(RELOAD_AFTER_MS, nextAt - performance.now()),
      )
    }
    const view = live().view({
      load,
      on: Object.fromEntries(types.map((type) => [type, apply])),
      onError: (problem) => {
        error.value = problem
        loading.value = false
      },
    })
    reload.current = () => view.reload()
    return () => {
      clearTimeout(timer)
      view()
    }
  }, [options.key])

  // Texts of the server are in the language in which they were fetched.
  const fetchedIn = useRef(language.value)
  useEffect(() => {
    if (fetchedIn.current === language.value) return
    fetchedIn.current = language.value
    void reload.current()
  }, [language.value])

  return {
    get data() {
      return data.value
    },
    get error() {
      return error.value
    },
    get loading() {
      return loading.value
    },
    reload: () => reload.current(),
    update: (change) => {
      if (data.peek() !== undefined) data.value = change(data.peek()!)
    },
  }
}

/** The state of a topic, from its first value on. Undefined for no topic, and after a change of the topic until a value comes. */
export function useTopic<Name extends string>(topic: Name | undefined): TopicState<Name> | undefined {
  const state = useSignal<TopicState<Name> | undefined>(undefined)
  useWatch(topic, (next) => {
    state.value = next
  })
  useEffect(
    () => () => {
      state.value = undefined
    },
    [topic],
  )
  return state.value
}

/** Calls the handler with each state of a topic while the component is shown. */
export function useWatch<Name extends string>(
  topic: Name | undefined,
  handler: (state: TopicState<Name>) => void,
  options: WatchOptions = {},
): void {
  const latest = useRef(handler)
  latest.current = handler
  useEffect(() => {
    if (topic === undefined) return undefined
    return live().watch(topic, (state) => latest.current(state), options)
  }, [topic])
}

/** Calls the handler for each event of a type while the component is shown. */
export function useEvent<E extends EventType>(type: E, handler: (event: LiveEvent<E>) => void): void {
  const latest = useRef(handler)
  latest.current = handler
  useEffect(() => live().on(type, (event) => latest.current(event)), [type])
}
