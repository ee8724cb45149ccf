import { type Static, t } from 'elysia'
import { named } from '../../../http/openapi/schemas.ts'

export const Token = t.Object({ access_token: t.String(), token_type: t.Literal('bearer') })
export type Token = Static<typeof Token>

named({ StudyToken: Token })
