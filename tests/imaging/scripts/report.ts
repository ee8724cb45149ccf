import { readdirSync } from 'node:fs'

console.log(
  JSON.stringify({ env: process.env, cwd: process.cwd(), files: readdirSync('.'), said: process.argv[2] }),
)
