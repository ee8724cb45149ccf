/** `bun run admin:reset-password [email or username]`: for an operator who has lost an administrator's password. */
import { readConfig } from './config.ts'
import { createContext } from './context.ts'
import { resetAdministratorPassword } from './core/accounts/first-administrator.ts'
import { createLogger } from './util/logger.ts'
import { exitWithMessage } from './util/startup-error.ts'

try {
  const [name] = process.argv.slice(2)
  const context = await createContext(readConfig(process.env), { log: createLogger('warn') })
  try {
    const { email, password } = await resetAdministratorPassword(context.core, name)
    console.log(`${email} has a new password: ${password}  (shown only this once)`)
    console.log('The sessions of this account have ended.')
  } finally {
    await context.close()
  }
} catch (error) {
  exitWithMessage(error)
}
