/** The text of a code: docs/contracts/factory.md, "Recharge codes". */
import { randomInt } from 'node:crypto'
import { tidyCode } from '../../util/fold.ts'
import type { Context } from '../context.ts'

/** 0, 1, I, L and O are left out, because readers confuse them. Twelve characters have 59 bits. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const PREFIX = 'OWL'
const GROUPS = 3
const GROUP_LENGTH = 4

const drawGroup = () =>
  Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

/** `OWL-XXXX-XXXX-XXXX` */
export const drawCode = (): string => [PREFIX, ...Array.from({ length: GROUPS }, drawGroup)].join('-')

const PURPOSE = 'recharge-code'
/** No code is longer, however it is written. */
const MAX_LENGTH = 100

/** The hash by which a code is found, as people type it: in any case and width, with any separators. */
export const hashOfCode = (ctx: Context, code: string): string =>
  ctx.keyedHash(
    PURPOSE,
    tidyCode(code.slice(0, MAX_LENGTH))
      .toUpperCase()
      .replace(/[^0-9A-Z]/g, ''),
  )

export const sealCode = (ctx: Context, code: string): string => ctx.sealed.seal(PURPOSE, code)
export const openCode = (ctx: Context, sealed: string): string => ctx.sealed.open(PURPOSE, sealed) ?? ''

/** As much of a code as its user needs to recognize it: `OWL-****-****-XXXX`. */
export const maskedCode = (code: string): string => code.replace(/-\w{4}(?=-)/g, '-****')
