import { codeIn, mailTo } from '../../support/mail.ts'
import { RUNTIME_SESSION, type Shape } from '../../support/shapes.ts'
import type { Chapters, Scene } from './endpoint.ts'

const PERSON = { username: 'runtimer', email: 'user@example.com', password: 'password' }
const ITEM = {
  id: 'uuid',
  title: 'string',
  description: 'string|null',
  start_at: 'instant',
  end_at: 'instant|null',
  timezone: 'string',
  metadata: 'object',
  status: 'string',
  source_type: 'string',
  created_at: 'instant',
  updated_at: 'instant',
} satisfies Shape
const PROFILE = {
  id: 'uuid',
  username: 'string',
  avatar_url: 'string|null',
  bio: 'string|null',
} satisfies Shape

const anonymous = (body: object) => () => ({ token: null, body })
const asPerson = ({ kept }: Scene) => ({ token: kept.person as string })
const withItem = ({ kept }: Scene) => ({ token: kept.person as string, ids: [kept.item as string] })
const keepSession = ({ kept }: Scene, body: { access_token: string; refresh_token: string }) => {
  kept.person = body.access_token
  kept.refresh = body.refresh_token
}

export const runtime: Chapters = {
  Auth: [
    {
      request: 'POST /api/v1/auth/verifications',
      status: 202,
      shape: { email: 'string' },
      fill: anonymous({ ...PERSON, invite_code: 'ABCDEFGH' }),
    },
    {
      request: 'POST /api/v1/auth/verifications/resend',
      status: 204,
      shape: 'nothing',
      fill: anonymous({ email: PERSON.email }),
    },
    {
      request: 'POST /api/v1/auth/verifications/verify',
      status: 200,
      shape: RUNTIME_SESSION,
      fill: async ({ server }) => ({
        token: null,
        body: { email: PERSON.email, token: codeIn(await mailTo(server, PERSON.email, 2)) },
      }),
    },
    {
      request: 'POST /api/v1/auth/sessions',
      status: 200,
      shape: RUNTIME_SESSION,
      fill: anonymous({ email: PERSON.email, password: PERSON.password }),
      after: keepSession,
    },
    {
      request: 'POST /api/v1/auth/sessions/refresh',
      status: 200,
      shape: RUNTIME_SESSION,
      fill: ({ kept }) => ({ token: null, body: { refresh_token: kept.refresh } }),
      after: keepSession,
    },
    {
      request: 'DELETE /api/v1/auth/sessions',
      status: 204,
      shape: 'nothing',
      fill: ({ kept }) => ({ token: null, body: { refresh_token: kept.refresh } }),
    },
    {
      request: 'POST /api/v1/auth/password-reset',
      status: 204,
      shape: 'nothing',
      fill: anonymous({ email: PERSON.email }),
    },
    {
      request: 'POST /api/v1/auth/password-reset/confirm',
      status: 204,
      shape: 'nothing',
      fill: async ({ server }) => ({
        token: null,
        body: {
          email: PERSON.email,
          token: codeIn(await mailTo(server, PERSON.email, 3)),
          new_password: 'another',
        },
      }),
    },
    {
      request: 'GET /api/v1/auth/users?email=user@example.com',
      status: 200,
      shape: { id: 'uuid', email: 'string', created_at: 'instant', email_confirmed_at: 'instant|null' },
    },
  ],
  'Schedule Items': [
    {
      request: 'POST /api/v1/schedule-items',
      status: 201,
      shape: ITEM,
      fill: async (scene) => {
        const body = { email: PERSON.email, password: 'another' }
        keepSession(scene, (await scene.as(scene.admin, 'POST', '/api/v1/auth/sessions', body)).body)
        return {
          ...asPerson(scene),
          body: {
            title: '开会',
            description: '周会',
            start_at: '2030-01-15T09:00:00Z',
            end_at: '2030-01-15T10:00:00Z',
            timezone: 'Asia/Shanghai',
            metadata: {
              color: '#FF6B6B',
              location: '会议室A',
              notes: '记得带身份证',
              attachments: [],
              version: 1,
            },
          },
        }
      },
      after: ({ kept }, { id }) => {
        kept.item = id
      },
    },
    {
      request: 'GET /api/v1/schedule-items?start_at=2030-01-01&end_at=2030-02-01',
      status: 200,
      shape: [
        {
          id: 'uuid',
          title: 'string',
          start_at: 'instant',
          end_at: 'instant|null',
          timezone: 'string',
          status: 'string',
        },
      ],
      fill: asPerson,
    },
    { request: 'GET /api/v1/schedule-items/{id}', status: 200, shape: ITEM, fill: withItem },
    {
      request: 'PATCH /api/v1/schedule-items/{id}',
      status: 200,
      shape: ITEM,
      fill: (scene) => ({ ...withItem(scene), body: { title: '开大会', status: 'completed' } }),
    },
    { request: 'DELETE /api/v1/schedule-items/{id}', status: 204, shape: 'nothing', fill: withItem },
  ],
  Users: [
    { request: 'GET /api/v1/users/me', status: 200, shape: PROFILE, fill: asPerson },
    {
      request: 'PATCH /api/v1/users/me',
      status: 200,
      shape: PROFILE,
      fill: (scene) => ({
        ...asPerson(scene),
        body: { username: 'runtimer2', avatar_url: 'https://example.com/a.png', bio: '你好' },
      }),
    },
    {
      request: 'POST /api/v1/users/search',
      status: 200,
      shape: [PROFILE],
      fill: (scene) => ({ ...asPerson(scene), body: { query: 'runtimer' } }),
    },
  ],
  'Agent Chat': [
    {
      request: 'POST /api/v1/agent-chats',
      status: 200,
      shape: { session_id: 'uuid', output: 'string', events: [{ type: 'string' }] },
      fill: (scene) => ({ ...asPerson(scene), body: { message: '你好' } }),
    },
  ],
  Infra: [
    {
      request: 'GET /api/v1/infra/health',
      status: 200,
      shape: { status: 'string', services: { redis: { status: 'string', latency_ms: 'number' } } },
      fill: () => ({ token: null }),
    },
    {
      request: 'GET /api/v1/health',
      status: 200,
      shape: { status: 'string' },
      fill: () => ({ token: null }),
    },
  ],
}
