/**
 * `bun start` as operators run it. Ctrl-C in a terminal and systemd send signals to the whole process group. The server
 * drains, also when it gets the signal twice.
 */
import { describe, expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { eventually, freePort, ROOT, temporaryDirectory } from '../support/process.ts'
import { openLive } from '../support/sockets.ts'
import { register } from './client.ts'

describe.concurrent('a signal to the process group of `bun start`', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s: sockets are told to come back, exit 0', async (signal) => {
    const dataDir = temporaryDirectory('signals')
    const port = freePort()
    // A session of its own, so that the group is that of `bun start` alone.
    const server = Bun.spawn(['setsid', process.execPath, 'run', 'start'], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        DATA_DIR: dataDir,
        HOST: '127.0.0.1',
        PORT: String(port),
        RATE_LIMITS: 'off',
        ADMIN_PASSWORD: 'admin123',
      },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    try {
      const url = `http://127.0.0.1:${port}`
      await eventually(
        () =>
          fetch(`${url}/ready`).then(
            ({ ok }) => ok,
            () => false,
          ),
        'the server',
        60_000,
      )
      const { token } = await register(url)
      const socket = await openLive({ wsUrl: `ws://127.0.0.1:${port}` }, token)
      process.kill(-server.pid, signal)
      expect((await socket.closing(30_000)).code).toBe(1012)
      await socket.next('draining')
      expect(await server.exited).toBe(0)
    } finally {
      if (server.exitCode === null) process.kill(-server.pid, 'SIGKILL')
      rmSync(dataDir, { recursive: true, force: true })
    }
  })
})
