import type { Bus } from '../../bus/bus.ts'
import { AppError } from '../errors.ts'

/** The uploads that this server is writing, so that a deletion stops them, whichever server hears of it. */
export class IncomingUploads {
  private readonly stops = new Map<number, AbortController>()

  constructor(bus: Bus) {
    bus.subscribe('materials', ({ id, active }) => {
      if (!active) this.stops.get(id)?.abort(new AppError('ALREADY_DELETED'))
    })
  }

  /** @returns a signal that says, until it is disposed of, that the material was deleted */
  watch(materialId: number): Disposable & { signal: AbortSignal } {
    const stop = new AbortController()
    this.stops.set(materialId, stop)
    return { signal: stop.signal, [Symbol.dispose]: () => void this.stops.delete(materialId) }
  }
}
