import type { SignedIn } from '../../../core/accounts/sessions.ts'
import type { Token } from './models.ts'

export const presentToken = ({ accessToken }: SignedIn): Token => ({
  access_token: accessToken,
  token_type: 'bearer',
})
