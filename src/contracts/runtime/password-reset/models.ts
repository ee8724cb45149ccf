import { t } from 'elysia'
import { Email, Password } from '../../../http/models.ts'
import { Code, RedirectTo } from '../verifications/models.ts'

export const ResetRequest = t.Object({ email: Email, redirect_to: RedirectTo })

export const ResetConfirmation = t.Object({ email: Email, token: Code, new_password: Password })
