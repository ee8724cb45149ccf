/** `bun run demo`: a server with two nodes and things to look at. docs/development.md, "Run it". */
import { join } from 'node:path'
import { readArguments } from '../util/arguments.ts'
import { exitWithMessage } from '../util/startup-error.ts'
import { onStopSignals } from '../util/stop-signals.ts'
import { furnish } from './furnish.ts'
import { startNodes } from './nodes.ts'
import { type Accounts, makeAccounts } from './people.ts'
import { Programs } from './programs.ts'
import { Receiver } from './receiver.ts'
import { State } from './state.ts'
import { keepBusy } from './trickle.ts'

const USAGE = `Usage: bun run demo [DIRECTORY] [--fresh]

  DIRECTORY  where the demo keeps its data (default: ./data/demo). A second start goes on with it
  --fresh    begins anew: deletes the data of an earlier demo in that directory

Environment: PORT (8000), HOST (127.0.0.1).`
/** After a request that has failed, the end of the server is known within this time. */
const SERVER_END_MS = 1000

try {
  const { names, flags } = readArguments({ usage: USAGE, names: [0, 1], flags: ['fresh'] })
  await start(names[0] ?? join('data', 'demo'), flags.has('fresh'))
} catch (error) {
  exitWithMessage(error)
}

async function start(directory: string, fresh: boolean): Promise<void> {
  const began = performance.now()
  const state = State.open(directory, fresh)
  const programs = new Programs(state.directory, process.env)
  let stopping = false
  const stop = async () => {
    stopping = true
    await programs.stop()
    process.exit(0)
  }
  onStopSignals(['SIGTERM', 'SIGINT', 'SIGHUP'], stop, () => process.exit(1))
  try {
    const url = await programs.startServer(state.adminPassword)
    const work = async () => {
      const accounts = await makeAccounts(url, state)
      show(url, state, accounts)
      await startNodes(programs, url, accounts.admin, state)
      await furnish({ ...accounts, state, receiver: Receiver.start() })
      console.log(`Everything is there after ${Math.round((performance.now() - began) / 1000)} seconds.`)
      return keepBusy(accounts)
    }
    const serverEnds = programs.untilServerEnds()
    // When the server ends, a request fails before this program knows of the end, and the user should read of the end.
    const fail = async (error: unknown) => {
      await Promise.race([serverEnds, Bun.sleep(SERVER_END_MS)])
      throw error
    }
    await Promise.race([serverEnds, work().catch(fail)])
  } catch (error) {
    // Ctrl-C has stopped the programs, so the requests that were under way failed.
    if (stopping) return
    await programs.stop()
    throw error
  }
}

function show(url: string, state: State, { logins }: Accounts): void {
  const lines = [
    `Roost's demo:  ${url}`,
    '',
    ...logins.map(({ who, login, password }) => `${who.padEnd(15)}${login.padEnd(19)}password: ${password}`),
    '',
    `Its data is in ${state.directory}. Stop it with Ctrl-C.`,
    'GPUs and tasks that are called simulated do not exist.',
  ]
  const width = Math.max(...lines.map(({ length }) => length))
  console.log(
    [
      `┌${'─'.repeat(width + 2)}┐`,
      ...lines.map((line) => `│ ${line.padEnd(width)} │`),
      `└${'─'.repeat(width + 2)}┘`,
    ].join('\n'),
  )
}
