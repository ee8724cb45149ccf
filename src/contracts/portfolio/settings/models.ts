/** Wire models of the settings, all made of the table in core: docs/contracts/portfolio.md, "Settings". */
import { type TSchema, Type } from '@sinclair/typebox'
import { type Static, t } from 'elysia'
import {
  type Definition,
  definitionsOf,
  SITE_CATEGORIES,
  type SiteCategory,
} from '../../../core/system/site-definitions.ts'
import { choice } from '../../../http/choice.ts'
import { Email, nullable, Timestamp, wholeNumber } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { WatermarkUpdateData } from '../../../protocol/live/topics.ts'
import { snakeCase } from '../../../util/case.ts'

/** Where a setting is: `category` and `name` as core calls them. */
export interface Place {
  category: SiteCategory
  name: string
}

/** The name of a setting in a flat body: `upload_max_file_size`; a bare name is one of `general`. */
export const flatName = ({ category, name }: Place): string =>
  category === 'general' ? snakeCase(name) : `${category}_${snakeCase(name)}`

const ALL: [place: Place, definition: Definition][] = SITE_CATEGORIES.flatMap((category) =>
  definitionsOf(category).map(([name, definition]): [Place, Definition] => [{ category, name }, definition]),
)

/** Every setting by its name in a flat body. */
export const FLAT_PLACES = new Map(ALL.map(([place]) => [flatName(place), place]))

const ONE_LINE = '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$'

function modelOf(definition: Definition): TSchema {
  switch (definition.kind) {
    case 'text': {
      const { minLength, maxLength, hasLines } = definition
      const pattern = hasLines ? {} : { pattern: ONE_LINE }
      return Type.String({ minLength, maxLength, ...pattern, ...typed('title') })
    }
    case 'email':
      return Email
    case 'color':
      return Type.String({ pattern: '^#[0-9a-fA-F]{6}$' })
    case 'flag':
      return Type.Boolean()
    case 'whole':
      return wholeNumber({ minimum: definition.minimum, maximum: definition.maximum })
    case 'choice':
      return choice(definition.choices)
    case 'choices':
      return Type.Array(choice(definition.choices), { minItems: 1, maxItems: 100 })
  }
}

const optionalModels = (settings: [name: string, definition: Definition][]): Record<string, TSchema> =>
  Object.fromEntries(settings.map(([name, definition]) => [name, Type.Optional(modelOf(definition))]))

/** Unknown names reach the handler, which refuses them by name. Otherwise they would be left out in silence. */
const withUnknown = { additionalProperties: Type.Unknown() }

const nestedChanges = SITE_CATEGORIES.map((category): [string, TSchema] => {
  const models = optionalModels(definitionsOf(category).map(([name, one]) => [snakeCase(name), one]))
  return [category, Type.Optional(Type.Object(models, withUnknown))]
})

/** Flat, nested, or both. */
export const SettingsChange = t.Unsafe<Record<string, unknown>>(
  Type.Object(
    {
      ...Object.fromEntries(nestedChanges),
      ...optionalModels(ALL.map(([place, definition]) => [flatName(place), definition])),
    },
    withUnknown,
  ),
)

export const Settings = t.Unsafe<Record<string, Record<string, unknown>>>(
  Type.Object(
    Object.fromEntries(
      SITE_CATEGORIES.map((category) => {
        const models = definitionsOf(category).map(([name, one]) => [snakeCase(name), modelOf(one)])
        return [category, Type.Optional(Type.Object(Object.fromEntries(models)))]
      }),
    ),
  ),
)
export type Settings = Static<typeof Settings>

export const SettingsQuery = t.Object({
  category: choice(['all', ...SITE_CATEGORIES], { default: 'all' }),
  /** False leaves out the categories that everybody may read. */
  include_public: t.Boolean({ default: true }),
})

export const SettingsReset = t.Object({
  categories: t.Array(choice(['all', ...SITE_CATEGORIES]), { minItems: 1, maxItems: 20 }),
  confirm: t.Literal(true),
})

export const WatermarkRun = t.Composite([WatermarkUpdateData, t.Object({ started_at: nullable(Timestamp) })])

named({ SettingsChange, Settings, WatermarkRun })
