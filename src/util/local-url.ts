/** Addresses that this machine reaches as `localhost`. */
const EVERYWHERE_OR_HERE = ['127.0.0.1', 'localhost', '0.0.0.0', '::', '::1']

/** Where this machine reaches a server that listens at `host` and `port`. */
export function localUrl(host: string, port: string | number): string {
  if (EVERYWHERE_OR_HERE.includes(host)) return `http://localhost:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
