/** The texts of all mails in both languages, and their form. */
import type { Mail } from '../../mail/mailer.ts'
import type { Language } from '../messages.ts'

export interface MailedCode {
  /** Six digits, or a token. */
  code: string
  /** A page that fills in the code; undefined when the request named none. */
  link: string | undefined
  /** The account that the code creates. Only in letters that can hold the codes of several accounts. */
  username?: string
}

export type Letter = Omit<Mail, 'to'>

interface Words {
  subject: string
  paragraphs: string[]
  closing: string[]
}

/** How long a code in a letter is valid. */
export const CODE_MINUTES = 10
/** The same for a token, which is too long to be guessed. */
export const TOKEN_MINUTES = 30

const WORDS = {
  signup: {
    zh: {
      subject: '您的注册验证码',
      paragraphs: ['您好！请用下面的验证码完成注册：'],
      closing: [
        `验证码 ${CODE_MINUTES} 分钟内有效，只能使用一次。`,
        '如果不是您本人操作，请忽略此邮件，账号不会被创建。',
      ],
    },
    en: {
      subject: 'Your code for signing up',
      paragraphs: ['Welcome! Finish signing up with this code:'],
      closing: [
        `It is valid for ${CODE_MINUTES} minutes and works once.`,
        'If this was not you, ignore this mail: no account will be made.',
      ],
    },
  },
  email_taken: {
    zh: {
      subject: '您已经有账号了',
      paragraphs: ['您好！有人用此邮箱申请注册，但它已经有账号了。', '您可以直接登录；忘记密码时可以重置。'],
      closing: ['如果不是您本人操作，无需理会，您的账号没有任何变化。'],
    },
    en: {
      subject: 'You already have an account',
      paragraphs: [
        'Somebody asked to sign up with this email address, which already has an account.',
        'You can just sign in. If you have forgotten the password, reset it.',
      ],
      closing: ['If this was not you, there is nothing to do: your account is as it was.'],
    },
  },
  password_reset: {
    zh: {
      subject: '重置密码的验证码',
      paragraphs: ['您好！请用下面的验证码设置新密码：'],
      closing: [
        `验证码 ${CODE_MINUTES} 分钟内有效，只能使用一次。`,
        '如果不是您本人操作，请忽略此邮件，密码不会改变。',
      ],
    },
    en: {
      subject: 'Your code for a new password',
      paragraphs: ['Set a new password with this code:'],
      closing: [
        `It is valid for ${CODE_MINUTES} minutes and works once.`,
        'If this was not you, ignore this mail: your password stays as it is.',
      ],
    },
  },
  password_reset_token: {
    zh: {
      subject: '重置密码',
      paragraphs: ['您好！请用下面的重置令牌设置新密码：'],
      closing: [
        `令牌 ${TOKEN_MINUTES} 分钟内有效，只能使用一次。`,
        '如果不是您本人操作，请忽略此邮件，密码不会改变。',
      ],
    },
    en: {
      subject: 'Set a new password',
      paragraphs: ['Set a new password with this token:'],
      closing: [
        `It is valid for ${TOKEN_MINUTES} minutes and works once.`,
        'If this was not you, ignore this mail: your password stays as it is.',
      ],
    },
  },
  password_changed: {
    zh: {
      subject: '您的密码已修改',
      paragraphs: ['您好！您账号的密码刚刚被修改，其他设备上的登录已全部退出。'],
      closing: ['如果不是您本人操作，请立即重置密码，并检查邮箱是否安全。'],
    },
    en: {
      subject: 'Your password was changed',
      paragraphs: ['The password of your account was just changed, and you were signed out everywhere else.'],
      closing: ['If this was not you, reset the password now and make sure that your mailbox is safe.'],
    },
  },
} satisfies Record<string, Record<Language, Words>>

const LINK: Record<Language, string> = { zh: '打开此链接继续', en: 'Continue here' }
const USERNAME: Record<Language, string> = { zh: '用户名', en: 'Username' }

export function writeLetter(kind: keyof typeof WORDS, language: Language, codes: MailedCode[] = []): Letter {
  const words: Words = WORDS[kind][language]
  return {
    subject: words.subject,
    text: asText(words, language, codes),
    html: asHtml(words, language, codes),
  }
}

function asText({ paragraphs, closing }: Words, language: Language, codes: MailedCode[]): string {
  const blocks = codes.map(({ code, link, username }) =>
    [
      ...(username ? [`${USERNAME[language]}: ${username}`] : []),
      code,
      ...(link ? [`${LINK[language]}: ${link}`] : []),
    ].join('\n'),
  )
  return `${[...paragraphs, ...blocks, ...closing].join('\n\n')}\n`
}

/** A code is read and typed, a token is copied. */
const styleOf = (code: string): string =>
  code.length > 10
    ? 'font: bold 16px monospace; word-break: break-all'
    : 'font: bold 28px monospace; letter-spacing: 6px'

function asHtml({ subject, paragraphs, closing }: Words, language: Language, codes: MailedCode[]): string {
  const paragraph = (text: string) => `<p>${Bun.escapeHTML(text)}</p>`
  const blocks = codes.map(({ code, link, username }) =>
    [
      ...(username ? [`<p>${Bun.escapeHTML(`${USERNAME[language]}: ${username}`)}</p>`] : []),
      `<p style="${styleOf(code)}">${Bun.escapeHTML(code)}</p>`,
      ...(link ? [`<p><a href="${Bun.escapeHTML(link)}">${Bun.escapeHTML(LINK[language])}</a></p>`] : []),
    ].join('\n'),
  )
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><title>${Bun.escapeHTML(subject)}</title></head>
<body style="font: 16px/1.5 sans-serif; max-width: 36em">
${[...paragraphs.map(paragraph), ...blocks, ...closing.map(paragraph)].join('\n')}
</body>
</html>
`
}
