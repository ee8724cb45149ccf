import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'

console.log(
  JSON.stringify({
    env: process.env,
    cwd: process.cwd(),
    files: readdirSync('.'),
    said: process.argv[2],
    nice: getPriority(),
  }),
)
