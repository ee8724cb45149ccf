/**
 * `bun run docs:examples tests/…`: runs these tests, and records the examples that the documentation lacks, or that no longer
 * fit, from what the servers send in them.
 */
import { ROOT } from './process.ts'

const FILES = ['src/protocol/examples.json', 'src/http/openapi/examples.json']

const run = (command: string[], env = {}) =>
  Bun.spawn(command, { cwd: ROOT, stdio: ['inherit', 'inherit', 'inherit'], env: { ...process.env, ...env } })
    .exited

const failed = await run(['bun', 'test', '--timeout', '60000', '--only-failures', ...process.argv.slice(2)], {
  RECORD_EXAMPLES: '1',
})
await run(['bunx', 'biome', 'format', '--write', ...FILES])
process.exit(failed)
