/** Names and passwords in every form that a keyboard can write, and names that look alike. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { createAccount, findAccount, updateProfile } from '../../../src/core/accounts/accounts.ts'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { users } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { api } from '../../support/api.ts'
import { makeUser, PASSWORD, unique } from '../../support/factories.ts'
import { codeIn, mailTo } from '../../support/mail.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
const limited = await startServer({ RATE_LIMITS: 'on' })
afterAll(() => Promise.all([server.stop(), limited.stop()]))
const { ctx } = server
const post = (path: string, body: object, on = server) => api(on, 'POST', path, { body })
const mail = () => `${unique('n')}@example.com`
const register = (username: string, password = PASSWORD) =>
  post('/api/auth/register', { email: mail(), username, password })
const signIn = (username: string, password = PASSWORD) => post('/api/auth/login', { username, password })

describe('a username', () => {
  test.each([
    ['김민수', '김민수'.normalize('NFD')],
    ['МАРИЯ', 'мария'],
    ['Straße', 'STRASSE'],
    ['İlkay', 'i̇lkay'],
    ['Οδυσσεύς', 'ΟΔΥΣΣΕΎΣ'],
    ['Zoë-Lou', 'zoë-lou'.normalize('NFD')],
    ['wide', 'ｗｉｄｅ'],
    ['spaced', ' spaced\u3000'],
  ])('%s is the same as %s: taken on every contract, and signs in', async (name, other) => {
    expect((await register(name)).status).toBe(201)
    expect((await register(other)).status).toBe(409)
    const body = { username: other, email: mail(), password: PASSWORD }
    expect((await post('/api/v1/auth/verifications', body)).status).toBe(409)
    const { user } = await makeUser(server)
    await expect(updateProfile(ctx, actorOf({ user }), { username: other })).rejects.toMatchObject({
      code: 'USERNAME_TAKEN',
    })
    for (const spelling of [name, other, name.toUpperCase(), other.toLowerCase()]) {
      expect((await signIn(spelling)).status, spelling).toBe(200)
    }
  })

  test.each(['กิตติ', 'प्रिया', 'நிலா', 'ສົມພອນ', 'محمّد', 'נָעֳמִי', 'Nguyễn'.normalize('NFD')])(
    '%s is one',
    async (name) => {
      const answer = await register(name)
      expect(answer.status).toBe(201)
      expect(answer.body.data.username).toBe(name.normalize('NFC'))
    },
  )

  test.each([
    ['begins with a mark', '\u0301abc'],
    ['has what nobody sees', 'ad\u200bmin'],
    ['has a variation selector', 'admin\ufe0f'],
    ['has a Hangul filler', 'admin\u3164'],
    ['has a space', 'ad min'],
    ['is too short without spaces', ' ab '],
  ])('that %s is none', async (_, name) => expect((await register(name)).status).toBe(422))

  test.each([
    ['yazyk.a1', 'yаzyk.a1'],
    ['goodfoot', 'gοοdfoot'],
    ['Inverness', 'lnverness'],
    ['PayPal-x', 'PayPaI-x'],
    ['moderato', 'rnoderato'],
    ['caroline', 'сarоlіnе'],
  ])('%s is not beside %s, which looks the same', async (name, other) => {
    expect((await register(name)).status).toBe(201)
    expect((await register(other)).status).toBe(409)
  })

  test('in Cyrillic letters cannot imitate the administrator’s, in upper or lower case', async () => {
    const names = ['аdmin', 'АDMIN', 'Аdmin', 'admіn', 'аdmіn']
    for (const name of names) expect((await register(name)).status, name).toBe(409)
  })

  test('that looks the same as another one at the same moment: only one of the two users gets it', async () => {
    const [one, two] = await Promise.all([register('racecar'), register('rасесаr')])
    expect([one.status, two.status].sort()).toEqual([201, 409])
  })

  test('can be changed to another spelling of the same name', async () => {
    const { user } = await makeUser(server)
    const upper = user.username.toUpperCase()
    expect((await updateProfile(ctx, actorOf({ user }), { username: upper })).username).toBe(upper)
    expect((await findAccount(ctx, user.username))!.id).toBe(user.id)
  })

  test('is found in upper and lower case', async () => {
    const { token } = await makeUser(server)
    const name = `Мария${unique('')}`
    await createAccount(ctx, SERVER, {
      email: mail(),
      username: name,
      displayName: 'Straße',
      password: PASSWORD,
    })
    for (const query of [name.toUpperCase(), name.toLowerCase().normalize('NFD')]) {
      const found = await api(server, 'POST', '/api/v1/users/search', { token, body: { query } })
      expect(found.body.map(({ username }: { username: string }) => username)).toEqual([name])
    }
  })
})

describe('a password', () => {
  test.each([
    ['pässwörd', 'pässwörd'.normalize('NFD')],
    ['pässwörd2'.normalize('NFD'), 'pässwörd2'],
    ['ｐａｓｓｗｏｒｄ', 'password'],
    ['ﬁve words\u00a0here', 'five words here'],
  ])('%s is right in another form, and keeps its spaces', async (password, other) => {
    const username = unique('w')
    expect((await register(username, password)).status).toBe(201)
    for (const form of [password, other]) expect((await signIn(username, form)).status).toBe(200)
    for (const wrong of [` ${password}`, password.toUpperCase()]) {
      expect((await signIn(username, wrong)).status).toBe(401)
    }
    const { body } = await signIn(username, other)
    const change = { current_password: other, new_password: PASSWORD }
    const answer = await api(server, 'POST', '/api/users/change-password', {
      token: body.access_token,
      body: change,
    })
    expect(answer.status).toBe(200)
  })

  test.each([
    ['as it was typed', 'pässwörd'.normalize('NFD'), 'pässwörd'],
    ['in the form of other keyboards', 'pässwörd'.normalize('NFC'), 'pässwörd'.normalize('NFD')],
    ['wide', 'ｐａｓｓｗｏｒｄ', 'password'],
  ])('that was hashed %s before still signs in, and then in every form', async (_, old, other) => {
    const { user } = await makeUser(server)
    const passwordHash = await Bun.password.hash(old)
    await ctx.db.update(users).set({ passwordHash }).where(eq(users.id, user.id))
    const hash = async () => (await findAccount(ctx, user.username))!.passwordHash
    expect((await signIn(user.username, 'wrong')).status).toBe(401)
    expect(await hash()).toBe(passwordHash)
    const answers = await Promise.all([old, old, other, old].map((form) => signIn(user.username, form)))
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3)
    for (const form of [old, other]) expect((await signIn(user.username, form)).status).toBe(200)
  })
})

describe('what is typed at sign-in and sign-up', () => {
  test.each(['/api/v1/auth/login', '/api/v1/auth/sessions', '/api/auth/login'])(
    '%s: spaces around the name do not count, nor its width',
    async (path) => {
      const { user } = await makeUser(server)
      for (const name of [user.email, user.username]) {
        const wide = name
          .replace('@', '＠')
          .replace(/^./, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0))
        for (const email of [` ${name}`, `${name} `, `\u3000${name}\n`, name.toUpperCase(), wide]) {
          expect((await post(path, { email, password: PASSWORD })).status, email).toBe(200)
        }
      }
    },
  )

  test.each(['/api/v1/auth/register', '/api/auth/register'])('%s: nor around an email', async (path) => {
    const email = mail()
    const made = (text: string) => post(path, { email: text, name: ' n ', password: PASSWORD })
    expect((await made(` ${email}\t`)).status).toBe(201)
    expect((await findAccount(ctx, email))!.email).toBe(email)
    expect((await made(email.replace('@', '＠'))).status).toBeOneOf([400, 409])
  })

  test('a code can have full-width digits, groups and spaces, and so can its email', async () => {
    for (const write of [
      (code: string) => code.replace(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)),
      (code: string) => ` ${code.slice(0, 3)} ${code.slice(3)}\n`,
      (code: string) => `${code.slice(0, 3)}-${code.slice(3)}`,
    ]) {
      const email = mail()
      const body = { username: unique('c'), email: `${email} `, password: PASSWORD }
      expect((await post('/api/v1/auth/verifications', body)).status).toBe(202)
      const token = write(codeIn(await mailTo(server, email)))
      const verified = await post('/api/v1/auth/verifications/verify', { email: ` ${email}`, token })
      expect(verified.status).toBe(200)
      expect((await post('/api/v1/auth/password-reset', { email: `${email} ` })).status).toBe(204)
      const reset = { email: `\t${email}`, token: write(codeIn(await mailTo(server, email, 2))) }
      const confirm = { ...reset, new_password: 'another horse' }
      expect((await post('/api/v1/auth/password-reset/confirm', confirm)).status).toBe(204)
    }
  })

  test.each(['/api/v1/auth/login', '/api/v1/auth/sessions', '/api/auth/login'])(
    '%s: a name is tried ten times, however it is written',
    async (path) => {
      const username = `İß-ς${unique('i')}`
      await createAccount(limited.ctx, SERVER, { email: mail(), username, password: PASSWORD })
      const names = [username, username.toLowerCase(), username.normalize('NFD'), ` ${username}`]
      names.push(username.toUpperCase(), username.replace('ß', 'ss'), username.replace('ς', 'Σ'))
      const tries = Array.from({ length: 14 }, (_, n) =>
        post(path, { email: names[n % names.length], password: 'Wr0ng-One' }, limited),
      )
      const statuses = (await Promise.all(tries)).map(({ status }) => status)
      expect(statuses.sort()).toEqual([...Array(10).fill(401), ...Array(4).fill(429)])
    },
  )
})
