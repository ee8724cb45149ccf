/**
 * The floor of `start`: a process that opens the same database with the same driver and answers HTTP requests, and has no
 * code of the server. In a clean directory PGlite runs its own initdb.
 */
import { PGlite } from '@electric-sql/pglite'
import { Elysia } from 'elysia'
import postgres from 'postgres'
import { answer } from '../support/answer.ts'

const { DATA_DIR = '', DATABASE_URL = '' } = process.env

const handlers = answer({
  async listen() {
    if (DATABASE_URL) await postgres(DATABASE_URL, { max: 1 })`select 1`
    else await (await PGlite.create({ dataDir: `${DATA_DIR}/pg` })).query('select 1')
    const app = new Elysia().get('/', () => 'ok').listen({ port: 0, hostname: '127.0.0.1' })
    return app.server!.port!
  },
})
export type StartFloor = typeof handlers
