import { defineHint } from '../../bus/bus.ts'
import type { MaterialType } from './rows.ts'

export interface MaterialChange {
  id: number
  type: MaterialType
  active: boolean
}

/** A material became active, or stopped being active. The ranking of every server follows it. */
export const materialsHint = defineHint<MaterialChange>('materials')
