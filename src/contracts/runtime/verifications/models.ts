import { t } from 'elysia'
import { Email, optional, Password } from '../../../http/models.ts'
import { typed } from '../../../http/typed.ts'
import { Username } from '../users/models.ts'

/** A code from a mail. */
export const Code = t.String({ pattern: '^[0-9]{6}$', ...typed('code') })

/** A page of an origin of `ALLOWED_ORIGINS` or of `PUBLIC_URL`. */
export const RedirectTo = optional(t.String({ maxLength: 2000 }))

export const SignUp = t.Object({
  username: Username,
  email: Email,
  password: Password,
  redirect_to: RedirectTo,
  // A code of any form passes, because an invalid one must not prevent a sign-up.
  invite_code: optional(t.String({ maxLength: 64 })),
})

export const Resend = t.Object({ email: Email })

export const Verification = t.Object({ email: Email, token: Code })

export const SignUpRequested = t.Object({ email: t.String() })
