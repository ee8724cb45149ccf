/** `bun run admin:reset-password [email or username]`: for an operator who has lost an administrator's password. */
import { assertDataExists } from './config/data-exists.ts'
import { readConfig } from './config/index.ts'
import { resetAdministratorPassword } from './core/accounts/first-administrator.ts'
import { createServer } from './server.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage, StartupError } from './util/startup-error.ts'

try {
  const name = accountName(process.argv.slice(2))
  const config = readConfig(process.env)
  assertDataExists(config)
  const server = await createServer(config, { log: createLogger('error') })
  try {
    const { email, password } = await resetAdministratorPassword(server.ctx, name)
    console.log(`${email} has a new password: ${password}  (shown only this once)`)
    console.log('The sessions of this account have ended.')
  } finally {
    await server.close()
  }
} catch (error) {
  exitWithMessage(error)
}

function accountName(args: string[]): string | undefined {
  const [name] = args
  if (args.length > 1 || name?.startsWith('-'))
    throw new StartupError(
      'Usage: bun run admin:reset-password [email or username]. The new password is made up and shown.',
    )
  return name
}
