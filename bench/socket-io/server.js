/**
 * A usual real-time backend: Node, Socket.IO with connection state recovery, one INSERT per request through `pg` with a
 * prepared statement. It checks no token and no input, and counts no limits.
 */
import { createServer } from 'node:http'
import pg from 'pg'
import { Server } from 'socket.io'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
await pool.query(`create table if not exists socket_io_tasks (
  id serial primary key, user_id int not null, name text not null, course_ids jsonb not null,
  created_at timestamptz not null default now())`)

const INSERT = {
  name: 'insert-task',
  text: 'insert into socket_io_tasks (user_id, name, course_ids) values ($1, $2, $3) returning *',
}

const http = createServer((request, response) => {
  const userId = Number(request.headers.authorization.slice('Bearer '.length))
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', async () => {
    const { name, course_ids } = JSON.parse(Buffer.concat(chunks).toString())
    const { rows } = await pool.query({ ...INSERT, values: [userId, name, JSON.stringify(course_ids)] })
    io.to(`user:${userId}`).emit('task.created', {
      id: rows[0].id,
      status: 'pending',
      progress: 0,
      title: name,
      attempt: 0,
    })
    const body = JSON.stringify({ success: true, data: rows[0] })
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    response.end(body)
  })
})

const io = new Server(http, { connectionStateRecovery: {}, serveClient: false, transports: ['websocket'] })
io.on('connection', (socket) => socket.join(`user:${socket.handshake.query.user}`))

http.listen(0, '127.0.0.1', () => console.log(http.address().port))
process.on('SIGTERM', () => process.exit(0))
