/** `bun run admin:reset-password [email or username]`: for an operator who has lost an administrator's password. */
import { assertDataExists } from './config/data-exists.ts'
import { readConfig } from './config/index.ts'
import { resetAdministratorPassword } from './core/accounts/first-administrator.ts'
import { createServer } from './server.ts'
import { readArguments } from './util/arguments.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage } from './util/startup-error.ts'

const USAGE =
  'Usage: bun run admin:reset-password [email or username]. The new password is made up and shown.'

try {
  const { names } = readArguments({ usage: USAGE, names: [0, 1] })
  const config = readConfig(process.env)
  assertDataExists(config)
  const server = await createServer(config, { log: createLogger('error') })
  try {
    const { email, password } = await resetAdministratorPassword(server.ctx, names[0])
    console.log(`${email} has a new password: ${password}  (shown only this once)`)
    console.log('The sessions of this account have ended.')
  } finally {
    await server.close()
  }
} catch (error) {
  exitWithMessage(error)
}
