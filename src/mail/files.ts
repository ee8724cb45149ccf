import { constants } from 'node:fs'
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Mail, type Mailer, mailDefaults } from './mailer.ts'

/** Octets of a line, without its CRLF (RFC 5322, 2.1.1). */
const MAX_LINE_BYTES = 998

/** Not encoded, so that `cat` shows the text; quoted-printable only when a line is too long for a mail. */
function readablePart(type: 'text/plain' | 'text/html', text: string) {
  const lines = text.split(/\r\n|\r|\n/)
  if (lines.some((line) => Buffer.byteLength(line) > MAX_LINE_BYTES)) {
    return { contentType: `${type}; charset=utf-8`, content: text }
  }
  const headers = [`Content-Type: ${type}; charset=utf-8`, 'Content-Transfer-Encoding: 8bit']
  return { raw: [...headers, '', ...lines].join('\r\n') }
}

/**
 * Writes each mail to a file `<time>_<id>.eml` in `outbox` of the data directory. A file is complete or absent, and only
 * the server's user can read it.
 */
export async function createFileMailer(dataDir: string, from: string): Promise<Mailer> {
  const outbox = join(dataDir, 'outbox')
  await mkdir(outbox, { recursive: true, mode: 0o700 })
  const compose = async (mail: Mail): Promise<Buffer> => {
    // Imported with the first mail, because nodemailer costs every start 8 MB and 50 ms.
    const { createTransport } = await import('nodemailer')
    const composer = createTransport(
      { streamTransport: true, buffer: true, newline: 'windows' },
      mailDefaults(from),
    )
    const { message } = await composer.sendMail({
      to: mail.to,
      subject: mail.subject,
      textEncoding: 'quoted-printable',
      alternatives: [readablePart('text/plain', mail.text), readablePart('text/html', mail.html)],
    })
    return message as Buffer
  }
  return {
    kind: 'files',
    async send(mail) {
      const message = await compose(mail)
      const time = new Date().toISOString().replace(/[-:.]/g, '')
      const path = join(outbox, `${time}_${crypto.randomUUID().slice(0, 8)}.eml`)
      const draft = `${path}.part`
      try {
        const file = await open(draft, 'wx', 0o600)
        try {
          await file.writeFile(message)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(draft, path)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
    async ping() {
      const start = performance.now()
      await access(outbox, constants.W_OK)
      return performance.now() - start
    },
    async removeOlder(than) {
      let removed = 0
      for (const name of await readdir(outbox)) {
        const path = join(outbox, name)
        const found = await stat(path).catch(() => undefined)
        if (!found?.isFile() || found.mtime >= than) continue
        await rm(path, { force: true })
        removed++
      }
      return removed
    },
    close() {},
  }
}
