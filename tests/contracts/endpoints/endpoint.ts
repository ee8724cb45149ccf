import { transaction } from '../../../src/core/transaction.ts'
import { materials } from '../../../src/db/schema/index.ts'
import { type Answer, api, readAnswer } from '../../support/api.ts'
import { makeNode, makeUser, type TestUser } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import type { TestServer } from '../../support/server.ts'
import type { Shape } from '../../support/shapes.ts'

/** What a test fills into a documented request. */
export interface Filled {
  /** The values of `{…}` in the path, in order. */
  ids?: (string | number)[]
  /** Nobody is signed in with `null`; by default the super administrator is. */
  token?: string | null
  body?: object
  form?: FormData
}

/** An endpoint of one of the five documents. */
export interface Endpoint {
  /** As the document has it, with its base URL and an example of a query: `GET /api/tasks/{id}`. */
  request: string
  /** The documented status of success. */
  status: number
  /** The documented fields of the answer. `nothing`: it has no body; `lines`: it is text. */
  shape: Shape
  /** Prepares the request. Endpoints run in the order of the list. */
  fill?: (scene: Scene) => Filled | Promise<Filled>
  /** Looks at the answer, or keeps what later requests need. */
  after?: (scene: Scene, body: Answer['body']) => void
}

/** The endpoints of a document by chapter. */
export type Chapters = Record<string, Endpoint[]>

/** What the requests of one server share. */
export class Scene {
  /** Values of answers that later requests need. */
  // biome-ignore lint/suspicious/noExplicitAny: a value of any JSON
  readonly kept: Record<string, any> = {}

  private constructor(
    readonly server: TestServer,
    readonly admin: TestUser,
    readonly user: TestUser,
  ) {}

  static async open(server: TestServer): Promise<Scene> {
    return new Scene(server, await makeUser(server, { role: 'super_admin' }), await makeUser(server))
  }

  async send({ request, fill }: Endpoint): Promise<Answer> {
    const { ids = [], token = this.admin.token, body, form } = (await fill?.(this)) ?? {}
    const [method = '', template = ''] = request.split(' ')
    const left = [...ids]
    const path = template.replace(/\{\w+\}/g, () => String(left.shift()))
    if (!form) return api(this.server, method, path, { token: token ?? undefined, ...(body && { body }) })
    const headers = { authorization: `Bearer ${token}` }
    return readAnswer(await fetch(this.server.url + path, { method, headers, body: form }))
  }

  /** The same request as another user. */
  as = (user: TestUser, method: string, path: string, body?: object): Promise<Answer> =>
    api(this.server, method, path, { token: user.token, ...(body && { body }) })

  /** A user whom administrators change. */
  someone = (): Promise<TestUser> => makeUser(this.server)

  /** Waits until the server has made all forms of a photo. */
  processed = (fileId: string): Promise<unknown> =>
    eventually(async () => {
      const { body } = await this.as(this.admin, 'GET', `/v1/upload/status/${fileId}`)
      return body.data.status === 'completed'
    }, `the processing of ${fileId}`)

  /** A GPU server, which every document of GPU servers needs. */
  async node(): Promise<string> {
    this.kept.node ??= (await makeNode(this.server)).node.uuid
    return this.kept.node
  }

  /** A course of one video that takes an hour. */
  async course(): Promise<string> {
    if (this.kept.course) return this.kept.course
    const material = await transaction(this.server.ctx, async (tx) => {
      const [row] = await tx.db
        .insert(materials)
        .values({
          userId: this.admin.user.id,
          title: '第一课',
          type: 'video',
          filePath: 'materials/1/lesson.mp4',
          fileSize: 1,
          fileFormat: 'mp4',
          status: 'active',
          durationSeconds: 3600,
        })
        .returning()
      return row!
    })
    const body = { courseName: '课程名称', teacherName: '教师', material_ids: [material.id] }
    const answer = await this.as(this.admin, 'POST', '/api/courses', body)
    this.kept.course = answer.body.courseId
    return this.kept.course
  }
}
