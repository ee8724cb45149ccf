import type { Connection } from './connection.ts'

/** At the same time, from one address. */
export const MAX_STRANGERS_PER_ADDRESS = 64
export const MAX_STRANGERS = 256

type Stranger = Pick<Connection, 'endAsStranger'>

/**
 * Sockets that have not signed in. Bun buffers a frame until it is complete, up to the largest frame of any socket, so only a
 * limit on the number of these sockets limits their memory. A new socket takes the place of the oldest one, so that a client
 * that signs in at once always finds room.
 */
export class Strangers {
  /** The oldest first. */
  private readonly byAddress = new Map<string, Set<Stranger>>()
  private readonly addresses = new Map<Stranger, string>()

  get size(): number {
    return this.addresses.size
  }

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
