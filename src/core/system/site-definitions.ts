/**
 * The settings of the site: docs/contracts/portfolio.md, "Settings". Everything else follows from this table: what is read and
 * stored, which input is accepted, the documentation and the reset.
 */
import { camelKeys, snakeCase, snakeKeys } from '../../util/case.ts'
import type { Stored } from './stored-settings.ts'

export type Definition =
  | { kind: 'text'; default: string; minLength: number; maxLength: number; hasLines: boolean }
  | { kind: 'email'; default: string }
  | { kind: 'color'; default: string }
  | { kind: 'flag'; default: boolean }
  | { kind: 'whole'; default: number; minimum: number; maximum: number }
  | { kind: 'choice'; default: string; choices: readonly string[] }
  | { kind: 'choices'; default: readonly string[]; choices: readonly string[] }

type Kind<K extends Definition['kind']> = Extract<Definition, { kind: K }>

const text = (
  byDefault: string,
  {
    minLength = 0,
    maxLength,
    hasLines = false,
  }: { minLength?: number; maxLength: number; hasLines?: boolean },
): Kind<'text'> => ({ kind: 'text', default: byDefault, minLength, maxLength, hasLines })
const email = (byDefault: string): Kind<'email'> => ({ kind: 'email', default: byDefault })
const color = (byDefault: string): Kind<'color'> => ({ kind: 'color', default: byDefault })
const flag = (byDefault: boolean): Kind<'flag'> => ({ kind: 'flag', default: byDefault })
const whole = (byDefault: number, minimum: number, maximum: number): Kind<'whole'> => ({
  kind: 'whole',
  default: byDefault,
  minimum,
  maximum,
})
const choice = <const T extends string>(byDefault: T, choices: readonly T[]) => ({
  kind: 'choice' as const,
  default: byDefault as T,
  choices,
})
const choices = <const T extends string>(all: readonly T[]) => ({
  kind: 'choices' as const,
  default: all,
  choices: all,
})

/** `image/raw` stands for the RAW files of all cameras. */
export const PHOTO_TYPES = [
  'image/jpeg',
  'image/png',
  'image/raw',
  'image/webp',
  'image/tiff',
  'image/heic',
  'image/heif',
  'image/avif',
] as const
export type PhotoType = (typeof PHOTO_TYPES)[number]

const WATERMARK_POSITIONS = ['top_left', 'top_right', 'center', 'bottom_left', 'bottom_right'] as const

export const SITE_DEFINITIONS = {
  general: {
    siteTitle: text('摄影作品集', { minLength: 1, maxLength: 100 }),
    siteDescription: text('专业摄影师作品展示平台', { maxLength: 1000, hasLines: true }),
    siteKeywords: text('摄影,作品集,艺术,创作', { maxLength: 500 }),
    siteAuthor: text('摄影师姓名', { maxLength: 100 }),
    siteEmail: email('contact@example.com'),
  },
  upload: {
    /** Bytes. */
    maxFileSize: whole(52_428_800, 1024, 1_073_741_824),
    allowedTypes: choices(PHOTO_TYPES),
    maxFilesPerBatch: whole(50, 1, 1000),
    /** Whether a new photo is published unless its owner says otherwise; it is a draft otherwise. */
    autoPublish: flag(false),
    /** Whether the three thumbnails are made. Without them `display` is shown in their place. */
    generateThumbnails: flag(true),
    /** Whether everybody sees where a photo was taken, when its file says so and its owner does not. */
    publishLocation: flag(false),
  },
  image: {
    qualityJpg: whole(85, 1, 100),
    qualityWebp: whole(80, 1, 100),
    /** Of the display renditions, in pixels. */
    maxWidth: whole(1920, 16, 10_000),
    maxHeight: whole(1080, 16, 10_000),
    /** Whether visitors see a watermark on every photo. */
    watermarkEnabled: flag(false),
    /** The title of the site when it is empty. */
    watermarkText: text('', { maxLength: 100 }),
    watermarkPosition: choice('bottom_right', WATERMARK_POSITIONS),
    /** Percent. */
    watermarkOpacity: whole(60, 1, 100),
    /** Of the text, in percent of the picture's width. */
    watermarkSize: whole(30, 5, 90),
  },
  display: {
    /** Of lists of photos, unless the client says otherwise. */
    photosPerPage: whole(20, 1, 100),
    /** The longer side of the medium thumbnail, in pixels; the small one has half of it, the large one twice as much. */
    thumbnailSize: whole(300, 16, 2000),
    themePrimaryColor: color('#d4af37'),
    themeSecondaryColor: color('#2d2d2d'),
    enableDarkMode: flag(true),
    enableAnimations: flag(true),
  },
} satisfies Record<string, Record<string, Definition>>

type Definitions = typeof SITE_DEFINITIONS
export type SiteCategory = keyof Definitions
type ValueOf<D> = D extends { kind: 'choices'; choices: readonly (infer T)[] }
  ? readonly T[]
  : D extends { default: infer T }
    ? T
    : never

/** What the administrators of the site have decided. */
export type SiteSettings = {
  readonly [C in SiteCategory]: { readonly [N in keyof Definitions[C]]: ValueOf<Definitions[C][N]> }
}

/** Settings that change. */
export type SiteChange = { [C in SiteCategory]?: Partial<SiteSettings[C]> }

export const SITE_CATEGORIES = Object.keys(SITE_DEFINITIONS) as SiteCategory[]

/** The categories that everybody may read. */
export const PUBLIC_CATEGORIES: readonly SiteCategory[] = ['general', 'display']

export const definitionsOf = (category: SiteCategory): [name: string, definition: Definition][] =>
  Object.entries(SITE_DEFINITIONS[category])

/** Each setting that is not stored has its default. */
export function readSite(stored: Stored): SiteSettings {
  const valuesOf = (category: SiteCategory) => {
    const own = camelKeys((stored[category] ?? {}) as Stored)
    return Object.fromEntries(
      definitionsOf(category).map(([name, { default: value }]) => [name, own[name] ?? value]),
    )
  }
  return Object.fromEntries(SITE_CATEGORIES.map((category) => [category, valuesOf(category)])) as SiteSettings
}

/** The row with the change, without defaults. What a newer server has stored in it stays. */
export function withChange(stored: Stored, change: SiteChange): Stored {
  const changed = SITE_CATEGORIES.flatMap((category) => {
    if (!change[category]) return []
    const values = { ...(stored[category] as Stored), ...snakeKeys<unknown>({ ...change[category] }) }
    for (const [name, definition] of definitionsOf(category)) {
      const key = snakeCase(name)
      if (isDefault(definition, values[key])) delete values[key]
    }
    return [[category, values] as const]
  })
  return { ...stored, ...Object.fromEntries(changed) }
}

/** The settings that a change names, as clients know them: `upload.max_file_size`. */
export const fieldsOf = (change: SiteChange): string[] =>
  SITE_CATEGORIES.flatMap((category) =>
    Object.keys(change[category] ?? {}).map((name) => `${category}.${snakeCase(name)}`),
  )

/** The row without these categories. */
export const withoutCategories = (stored: Stored, categories: readonly SiteCategory[]): Stored =>
  Object.fromEntries(Object.entries(stored).filter(([name]) => !categories.includes(name as SiteCategory)))

/** The change with each choice once, in the order of the table. */
export function tidied(change: SiteChange): SiteChange {
  const tidy = (definition: Definition, value: unknown): unknown => {
    if (definition.kind !== 'choices') return value
    return definition.choices.filter((one) => (value as string[]).includes(one))
  }
  return Object.fromEntries(
    SITE_CATEGORIES.filter((category) => change[category]).map((category) => {
      const definitions = Object.fromEntries(definitionsOf(category))
      const values = Object.entries(change[category]!)
      return [
        category,
        Object.fromEntries(values.map(([name, value]) => [name, tidy(definitions[name]!, value)])),
      ]
    }),
  )
}

const isDefault = ({ default: value }: Definition, other: unknown): boolean =>
  JSON.stringify(value) === JSON.stringify(other)
