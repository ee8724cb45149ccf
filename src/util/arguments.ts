import { parseArgs } from 'node:util'
import { StartupError } from './startup-error.ts'

interface Expected {
  usage: string
  /** How many arguments without a dash there are, at least and at most. */
  names: [number, number]
  /** Options without a value, such as `force`. */
  flags?: string[]
}

/**
 * Reads the arguments of this program. With `--help` it prints the usage and ends the program.
 * @throws StartupError with the usage when the arguments are others
 */
export function readArguments({ usage, names: [min, max], flags = [] }: Expected): {
  names: string[]
  flags: Set<string>
} {
  const { positionals, values } = parsed(flags) ?? { positionals: [], values: undefined }
  if (values?.help) {
    console.log(usage)
    process.exit(0)
  }
  if (!values || positionals.length < min || positionals.length > max) throw new StartupError(usage)
  return { names: positionals, flags: new Set(Object.keys(values)) }
}

function parsed(flags: string[]) {
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      args: process.argv.slice(2),
      options: { ...Object.fromEntries(flags.map((name) => [name, flag])), help: { ...flag, short: 'h' } },
      allowPositionals: true,
    })
  } catch {
    return undefined
  }
}
