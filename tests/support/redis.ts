/** A Redis of the test's own, without persistence, to be killed and started again on its port. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, freePort, Program, temporaryDirectory } from './process.ts'

export const hasRedis = Bun.which('redis-server') !== null
export const NO_REDIS = 'no redis-server is installed'

export class RedisProcess implements AsyncDisposable {
  private readonly directory = temporaryDirectory('fault-redis')
  private readonly port = freePort()
  private readonly program = new Program(
    [
      ...['redis-server', '--port', String(this.port), '--bind', '127.0.0.1'],
      ...['--save', '', '--appendonly', 'no', '--dir', this.directory],
    ],
    {},
    join(this.directory, 'redis.log'),
  )

  static async start(): Promise<RedisProcess> {
    const redis = new RedisProcess()
    await redis.start()
    return redis
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    this.program.launch()
    await eventually(() => this.answers(), 'Redis answers')
  }

  kill = () => this.program.kill()
  freeze = () => this.program.signal('SIGSTOP')
  thaw = () => this.program.signal('SIGCONT')

  private answers(): Promise<boolean> {
    return new Promise((resolve) => {
      Bun.connect({
        hostname: '127.0.0.1',
        port: this.port,
        socket: {
          open: (socket) => void socket.write('PING\r\n'),
          data: (socket, bytes) => {
            resolve(bytes.toString().startsWith('+PONG'))
            socket.end()
          },
          connectError: () => resolve(false),
          close: () => resolve(false),
        },
      }).catch(() => resolve(false))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
