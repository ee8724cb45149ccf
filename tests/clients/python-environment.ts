/** The installed packages of `requirements.txt`, which stay under node_modules, and Roost's own client. */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

const HERE = import.meta.dir
const CACHE = join(HERE, '../../node_modules/.cache/roost-python')

/** Installs the packages once: other test files wait for the lock, and then find them. */
const INSTALL = `test -e "$1/ready" || {
  rm -rf "$1" && python3 -m venv "$1" && "$1/bin/pip" install --quiet --requirement "$2" && touch "$1/ready"
}`

/** The folder of their programs. They are installed when the requirements have changed. */
export async function pythonPrograms(): Promise<string> {
  const requirements = join(HERE, 'requirements.txt')
  const hash = createHash('sha256')
    .update(await Bun.file(requirements).bytes())
    .digest('hex')
    .slice(0, 16)
  const place = join(CACHE, hash)
  mkdirSync(CACHE, { recursive: true })
  await run(['flock', join(CACHE, 'lock'), 'sh', '-c', INSTALL, 'sh', place, requirements])
  return join(place, 'bin')
}

/** Installs `clients/python` as a user does. @param folder where its modules go: PYTHONPATH */
export async function installClient(folder: string): Promise<void> {
  const pip = join(await pythonPrograms(), 'pip')
  const client = join(HERE, '../../clients/python')
  await run([pip, 'install', '--quiet', '--no-deps', '--target', folder, client])
}
