import { t } from 'elysia'
import { Email, Password } from '../../../http/models.ts'
import { typed } from '../../../http/typed.ts'
import { Session, SessionUser } from '../../factory/auth/models.ts'
import { Token } from '../../study/auth/models.ts'
import { Both } from '../both.ts'

export const Registration = t.Object({
  email: Email,
  username: t.Optional(t.String({ minLength: 3, maxLength: 30, ...typed('name') })),
  password: Password,
  full_name: t.Optional(t.String({ minLength: 1, maxLength: 100, ...typed('name') })),
})
export const REGISTRATION = {
  email: 'newuser@example.com',
  username: 'newuser',
  password: 'password123',
  full_name: '新用户',
}

/** Each of `email` and `username` accepts an email or a username: docs/design.md, "Names and sign-in". */
export const Credentials = t.Object({
  email: t.Optional(t.String({ minLength: 1, maxLength: 254, ...typed('login') })),
  username: t.Optional(t.String({ minLength: 1, maxLength: 254, ...typed('login') })),
  password: t.String({ minLength: 1, maxLength: 200 }),
})
export const CREDENTIALS = { email: 'newuser@example.com', password: 'password123' }

/**
 * Neither contract's document shows the data that registering answers in the envelope. It is the session, as at sign-in,
 * together with the new user.
 */
export const Registered = Both(Token, t.Composite([Session, SessionUser], { title: 'Registered' }))
export const SignedIn = Both(Token, Session)
