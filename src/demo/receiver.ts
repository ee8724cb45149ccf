/** Takes what the demo's webhook sends. */
export class Receiver {
  private constructor(private readonly server: Bun.Server<undefined>) {}

  static start = (): Receiver =>
    new Receiver(
      Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(null, { status: 204 }) }),
    )

  get url(): string {
    return `http://127.0.0.1:${this.server.port}/webhook`
  }
}
