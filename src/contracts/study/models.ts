import { t } from 'elysia'
import { named } from '../../http/openapi/schemas.ts'

/** The answer of a route that has nothing to show. */
export const Message = t.Object({ message: t.String() })

/** The document's minimum. */
export const Password = t.String({ minLength: 6, maxLength: 200 })

named({ StudyMessage: Message })
