/** Why the first connection to a server failed, for the person who typed its URL. */

const SOCKET_PATH = '/ws/node'

/** One line. It names the HTTP status when something answered. */
export function failedConnection(
  server: string,
  event: ErrorEvent | undefined,
): { why: string; status: number | undefined } {
  const message = event?.message ?? ''
  // A refused upgrade has no close code of its own. Only the text of the error names the HTTP status.
  const status = Number(/status code: (\d+)/.exec(message)?.[1]) || undefined
  if (status !== undefined) return { why: answered(server, status), status }
  const code = String((event?.error as NodeJS.ErrnoException | undefined)?.code ?? '')
  const details = message.replace(/^.*?failed: /, '')
  return { why: `no connection to ${server}: ${explanations(server)[code] ?? unexplained(details)}`, status }
}

function answered(server: string, status: number): string {
  const answer = `${server}${SOCKET_PATH} answered HTTP ${status}`
  if (status >= 300 && status < 400) return `${answer}: it redirects; give --server the URL that it leads to`
  if (status === 404 || status === 405 || status < 300)
    return `${answer}: there is no Roost server at this URL`
  return answer
}

const explanations = (server: string): Record<string, string> => {
  const { hostname, port, protocol } = new URL(server)
  const place = port || (protocol === 'https:' ? '443' : '80')
  return {
    ECONNREFUSED: `connection refused: nothing listens on port ${place} of ${hostname}`,
    ENOTFOUND: `no host is named ${hostname}`,
    EAI_AGAIN: `the name ${hostname} can't be looked up now`,
    ECONNRESET: `port ${place} of ${hostname} closes connections without an answer`,
    ETIMEDOUT: `${hostname} does not answer`,
    EHOSTUNREACH: `${hostname} can't be reached`,
    ENETUNREACH: `${hostname} can't be reached`,
    HPE_INVALID_CONSTANT: `what listens on port ${place} of ${hostname} speaks no HTTP (is it https://?)`,
  }
}

function unexplained(details: string): string {
  if (/WRONG_VERSION_NUMBER/.test(details)) return 'it speaks no TLS: use http://, or the port that does'
  return details || 'it closed the connection'
}
