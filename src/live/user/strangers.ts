import type { Connection } from './connection.ts'

/** Those of one address at the same time. */
export const MAX_STRANGERS_PER_ADDRESS = 64
export const MAX_STRANGERS = 256

type Stranger = Pick<Connection, 'endAsStranger'>

/**
 * Sockets that have not signed in. Bun holds whatever has come of a frame, up to the largest that any socket may
 * send, and tells nobody before the frame is whole: only their number bounds the memory. A new one takes the place of
 * the oldest, so that whoever signs in at once finds room among those who never do.
 */
export class Strangers {
  /** The oldest first. */
  private readonly byAddress = new Map<string, Set<Stranger>>()
  private readonly addresses = new Map<Stranger, string>()

  add(socket: Stranger, address: string): void {
    const same = this.byAddress.get(address) ?? new Set()
    this.byAddress.set(address, same.add(socket))
    this.addresses.set(socket, address)
    if (same.size > MAX_STRANGERS_PER_ADDRESS) this.endOldest(same)
    else if (this.addresses.size > MAX_STRANGERS) this.endOldest(this.largest())
  }

  delete(socket: Stranger): void {
    const address = this.addresses.get(socket)
    if (address === undefined) return
    this.addresses.delete(socket)
    const same = this.byAddress.get(address)!
    same.delete(socket)
    if (same.size === 0) this.byAddress.delete(address)
  }

  private endOldest(sockets: Set<Stranger>): void {
    const [oldest] = sockets
    this.delete(oldest!)
    oldest!.endAsStranger()
  }

  private largest(): Set<Stranger> {
    let largest = new Set<Stranger>()
    for (const sockets of this.byAddress.values()) if (sockets.size > largest.size) largest = sockets
    return largest
  }
}
