import { t } from 'elysia'
import { Email } from '../../../http/models.ts'
import { Password } from '../sessions/models.ts'
import { Code, RedirectTo } from '../verifications/models.ts'

export const ResetRequest = t.Object({ email: Email, redirect_to: RedirectTo })

export const ResetConfirmation = t.Object({ email: Email, token: Code, new_password: Password })
