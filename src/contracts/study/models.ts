import { t } from 'elysia'
import { named } from '../../http/openapi/schemas.ts'

/** The answer of a route that has nothing to show. */
export const Message = t.Object({ message: t.String() })

named({ StudyMessage: Message })
