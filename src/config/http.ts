import { BlockList, isIP } from 'node:net'
import type { EnvReader } from './env.ts'

export interface HttpConfig {
  /** Origin under which clients reach this server, no trailing slash; undefined: derived from the request. */
  publicUrl: string | undefined
  /** Browser origins, besides the server's own, that may call the API and open sockets. */
  allowedOrigins: string[]
  /** Proxies whose X-Forwarded-For is trusted. */
  trustedProxies: BlockList
  /** Whoever sends it may read `/metrics`, besides administrators. */
  metricsToken: string | undefined
}

export const readHttp = (env: EnvReader): HttpConfig => ({
  publicUrl: env.webUrl('PUBLIC_URL'),
  allowedOrigins: readOrigins(env),
  trustedProxies: readProxies(env),
  metricsToken: readMetricsToken(env),
})

const MIN_TOKEN = 16

function readMetricsToken(env: EnvReader): string | undefined {
  const token = env.text('METRICS_TOKEN')
  if (!token || new RegExp(`^[!-~]{${MIN_TOKEN},}$`).test(token)) return token
  env.mistakes.push(
    `METRICS_TOKEN must have at least ${MIN_TOKEN} characters, and only visible ones of ASCII`,
  )
  return undefined
}

function readOrigins(env: EnvReader): string[] {
  return env.list('ALLOWED_ORIGINS').flatMap((origin) => {
    if (URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol)) return [new URL(origin).origin]
    env.mistakes.push('ALLOWED_ORIGINS must list origins like https://app.example.com, separated by commas')
    return []
  })
}

function readProxies(env: EnvReader): BlockList {
  const proxies = new BlockList()
  for (const range of env.list('TRUSTED_PROXIES')) {
    const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(range) ?? []
    const [family, most] = isIP(address) === 6 ? (['ipv6', 128] as const) : (['ipv4', 32] as const)
    if (isIP(address) && Number(bits ?? most) <= most) {
      proxies.addSubnet(address, Number(bits ?? most), family)
    } else {
      env.mistakes.push('TRUSTED_PROXIES must list addresses or ranges like 10.0.0.0/8, separated by commas')
    }
  }
  return proxies
}
