import { StartupError } from '../util/startup-error.ts'

/** Every mistake in the environment, one per line of `message`; shown to the operator as it is. */
export class ConfigError extends StartupError {
  override name = 'ConfigError'
}

export type Env = Record<string, string | undefined>

/** Reads variables by their type and collects every mistake, so that one message can name them all. */
export class EnvReader {
  readonly mistakes: string[] = []

  constructor(readonly env: Env) {}

  /** Trimmed; an empty variable is unset. */
  text(name: string): string | undefined {
    return this.env[name]?.trim() || undefined
  }

  /** The parts between commas. */
  list(name: string): string[] {
    return (this.text(name) ?? '')
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)
  }

  oneOf<T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const value = this.text(name) ?? fallback
    if (allowed.includes(value as T)) return value as T
    this.mistakes.push(`${name} must be one of ${allowed.join(', ')}`)
    return fallback
  }

  integer(name: string, fallback: number, min: number, max: number): number {
    const value = Number(this.text(name) ?? fallback)
    if (Number.isInteger(value) && value >= min && value <= max) return value
    this.mistakes.push(`${name} must be a whole number from ${min} to ${max}`)
    return fallback
  }

  /** The message does not quote the value, because these URLs carry passwords. */
  url(name: string, protocols: string[]): string | undefined {
    const value = this.text(name)
    if (!value) return undefined
    if (URL.canParse(value) && protocols.includes(new URL(value).protocol)) return value
    this.mistakes.push(
      `${name} must be a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
    )
    return undefined
  }

  /** An http or https URL without a trailing slash. */
  webUrl(name: string): string | undefined {
    return this.url(name, ['http:', 'https:'])?.replace(/\/+$/, '')
  }

  /** @param condition as in `when any S3_ variable is set` */
  required(name: string, condition: string): string {
    const value = this.text(name)
    if (!value) this.mistakes.push(`${name} is required ${condition}`)
    return value ?? ''
  }
}
