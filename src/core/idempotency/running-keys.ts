/** A request that names a key. Requests with the same user, route and key are one request that was sent again. */
export interface KeyedRequest {
  userId: number
  /** Method and pattern of the path. */
  route: string
  key: string
  /** The parameters and the body, as a text: equal for requests that ask for the same. */
  content: string
}

/** The keys of the requests that this server is working on. */
export class RunningKeys {
  private readonly names = new Set<string>()

  /** Undefined while another request of this server has the key. */
  take({ userId, route, key }: KeyedRequest): Disposable | undefined {
    const name = JSON.stringify([userId, route, key])
    if (this.names.has(name)) return undefined
    this.names.add(name)
    return { [Symbol.dispose]: () => void this.names.delete(name) }
  }
}
