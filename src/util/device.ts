import { parse } from 'bowser'

export const DEVICE_TYPES = ['desktop', 'mobile', 'tablet', 'tv', 'bot', 'unknown'] as const

/** What a User-Agent header says. Texts that it does not say are empty. */
export interface Device {
  /** Or the program that is no browser. */
  browser: string
  browserVersion: string
  os: string
  osVersion: string
  type: (typeof DEVICE_TYPES)[number]
}

/** The name of a program that is no browser: `curl/8.5.0`. */
const PRODUCT = /^([\w.-]{1,50})(?:\/([\w.+-]{1,50}))?/

export function deviceOf(userAgent: string | null): Device {
  // The parser refuses an empty text.
  const { browser, os, platform } = parse(userAgent || '-')
  const [, product = '', productVersion = ''] = PRODUCT.exec(userAgent ?? '') ?? []
  const isKnown = Boolean(browser.name)
  return {
    browser: browser.name || product,
    browserVersion: (isKnown ? browser.version : productVersion) ?? '',
    os: os.name ?? '',
    // `NT 10.0` is Windows 10 for everybody.
    osVersion: (os.name === 'Windows' ? os.versionName : os.version) ?? '',
    type: DEVICE_TYPES.find((type) => type === platform.type) ?? 'unknown',
  }
}
