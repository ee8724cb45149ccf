/** `bun run photos:reindex`: for an operator who doubts that lists, counts and the search of photos are right. */
import { assertDataExists } from './config/data-exists.ts'
import { readConfig } from './config/index.ts'
import { rebuildPhotoIndex } from './core/photo-index/rebuild.ts'
import { recount } from './core/statistics/counts.ts'
import { createServer } from './server.ts'
import { readArguments } from './util/arguments.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage } from './util/startup-error.ts'

try {
  readArguments({ usage: 'Usage: bun run photos:reindex. It has no options.', names: [0, 0] })
  const config = readConfig(process.env)
  assertDataExists(config)
  const server = await createServer(config, { log: createLogger('error') })
  try {
    const { photos, changed } = await rebuildPhotoIndex(server.ctx)
    const counts = await recount(server.ctx)
    console.log(`${photos} photos compared, ${changed} index rows and ${counts} counts corrected.`)
  } finally {
    await server.close()
  }
} catch (error) {
  exitWithMessage(error)
}
